using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Loading;
using NullTextResearch.Models;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>A loaded Stable Diffusion 1.x or 2.x model: tokenizer, text encoder, autoencoder, U-Net and schedule. Owns its networks.</summary>
/// <remarks>
/// Several threads may embed, encode, decode and predict on one model at the same time, and so also run inversions and edits, each with its own
/// <see cref="Predictor"/>; the results are bit-identical to those of a single thread. With <see cref="MemoryOptions.Offload"/>, text encoder and autoencoder
/// serve one thread at a time. <see cref="Memory"/> may be set and <see cref="Dispose"/> called meanwhile: both wait for running passes through the networks (a
/// pass is one call of a network, not a whole inversion). Work that continues after <see cref="Dispose"/> fails with <see cref="ObjectDisposedException"/> at
/// its next pass, as does any later use. Results (latents, embeddings, an <see cref="Inversion.InversionResult"/>) do not need the model any more.
/// </remarks>
public sealed class StableDiffusion : IDiffusionModel
{
    private const string TextPart = "text_encoder",
        VaePart = "vae",
        UNetPart = "unet";

    // Held while an offloaded network works.
    private readonly Lock _away = new();
    private volatile MemoryOptions _memory = new();
    private volatile bool _disposed;

    /// <summary>Assembles a model from parts; takes ownership of the networks.</summary>
    public StableDiffusion(string name, ITextTokenizer tokenizer, ClipTextModel text, AutoencoderKL vae, UNet2DConditionModel unet, NoiseSchedule schedule)
    {
        ModelSource.RequireFitting(name, unet.Config, vae.Config, text.Config);
        if (
            tokenizer is ClipTokenizer { LearnedWords.Count: > 0 } learned
            && learned.LearnedWords.MaxBy(w => w.Value) is { } last
            && last.Value >= text.Config.VocabSize
        )
            throw new ModelFormatException(
                $"{name}: the tokenizer's learned word '{last.Key}' has the id {last.Value}, but the text encoder has {text.Config.VocabSize} rows in its "
                    + "token_embedding, so the learned embedding is missing. Save the text encoder that was trained with the word, or remove the word from "
                    + "added_tokens.json (and added_tokens_decoder of tokenizer_config.json)."
            );
        if (tokenizer is ClipTokenizer clip && clip.VocabularySize > text.Config.VocabSize)
            throw new ModelFormatException(
                $"{name}: the tokenizer has {clip.VocabularySize} tokens, the text encoder knows {text.Config.VocabSize}; the parts come from different models."
            );
        if (tokenizer.ContextLength > text.Config.ContextLength)
            throw new ModelFormatException(
                $"{name}: the tokenizer makes rows of {tokenizer.ContextLength} tokens, the text encoder takes {text.Config.ContextLength}; the parts "
                    + "come from different models."
            );
        Name = name;
        Tokenizer = tokenizer;
        Text = text;
        Vae = vae;
        UNet = unet;
        Schedule = schedule;
    }

    /// <summary>Name, as in manifests: that of the folder or file, or owner/name of a model from the cache.</summary>
    public string Name { get; }

    /// <summary>What it was loaded from, or null.</summary>
    public ModelSource? Source { get; private init; }

    /// <summary>Diffusers-format folder it was loaded from, or null.</summary>
    public string? Folder => Source is { IsSingleFile: false } source ? source.Path : null;

    /// <summary>What was chosen or assumed while loading, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Prompt to token ids.</summary>
    public ITextTokenizer Tokenizer { get; }

    /// <summary>
    /// Token ids to text embedding. Its weights may be offloaded (<see cref="MemoryOptions.Offload"/>): <see cref="Embed(IReadOnlyList{string})"/> loads them.
    /// </summary>
    public ClipTextModel Text { get; }

    /// <summary>
    /// Pixels to latents and back. Its weights may be offloaded (<see cref="MemoryOptions.Offload"/>): <see cref="Encode"/> and <see cref="Decode"/> load them.
    /// </summary>
    public AutoencoderKL Vae { get; }

    /// <summary>Noise predictor.</summary>
    public UNet2DConditionModel UNet { get; }

    /// <summary>Noise schedule.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>Where it runs.</summary>
    public Device Device => UNet.Device;

    /// <summary>Precision of the U-Net and the text encoder.</summary>
    public ScalarType Dtype => UNet.Dtype;

    /// <summary>Precision of the autoencoder.</summary>
    public ScalarType VaeDtype => Source?.Options.EffectiveVaeDtype ?? Vae.Dtype;

    /// <summary>Precision of latents and embeddings, and so of everything between the networks: float32 even with 16-bit networks.</summary>
    public ScalarType LatentDtype => Precision.Wide(Dtype);

    /// <summary>
    /// Memory-saving options, which may cost time. They apply to predictors created, and images and prompts processed, from now on. Setting them waits until
    /// other threads have finished with a network that is offloaded.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// An option is out of range, or networks that were not loaded from disk would have to be read from there again.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="InvalidOperationException">Set from within a pass through a network that would have to be offloaded.</exception>
    public MemoryOptions Memory
    {
        get => _memory;
        set
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            value.Validate();
            if (value.Offload && Source is null && Device.type == DeviceType.CPU)
                throw new ArgumentException(
                    $"{Name} was not loaded from disk, so its networks cannot be freed and read again; leave Offload off.",
                    nameof(value)
                );
            lock (_away)
            {
                _memory = value;
                foreach (WeightSet weights in (WeightSet[])[Text.Weights, Vae.Weights])
                {
                    if (value.Offload)
                        PutAway(weights);
                }
            }
        }
    }

    /// <summary>Pixels per side of the images it was trained on.</summary>
    public int ImageSize => UNet.Config.SampleSize * Vae.Config.Downscale;

    /// <summary>The image sizes that it accepts.</summary>
    public SizeRule Sizes => new(Vae.Config.Downscale, ImageSize);

    /// <summary>Loads a model from a diffusers-format folder or an original single-file checkpoint.</summary>
    /// <param name="path">
    /// Folder with unet/, vae/, text_encoder/, tokenizer/, scheduler/; or a <c>.safetensors</c> file with all three networks in CompVis' or
    /// StabilityAI's layout; or the name of a model in the user's <see cref="ModelCache"/>, owner/name. Nothing is downloaded.
    /// </param>
    /// <param name="options">Device, precision, and settings that the model does not specify.</param>
    /// <param name="cancellation">Checked while weights are read.</param>
    /// <exception cref="ModelNotFoundException">A name was given, but the cache does not have that model.</exception>
    /// <exception cref="ModelFormatException">A part is missing, or something is not supported.</exception>
    /// <exception cref="CheckpointMismatchException">Weights do not fit their config.</exception>
    /// <exception cref="TokenizerFileException">A file of the tokenizer is damaged.</exception>
    public static StableDiffusion Load(string path, ModelLoadOptions? options = null, CancellationToken cancellation = default) =>
        Load(ModelSource.Find(path, options), cancellation);

    /// <summary>Loads a model from an inspected source, with the options of that source.</summary>
    /// <param name="source">The model on disk.</param>
    /// <param name="cancellation">Checked while weights are read.</param>
    /// <exception cref="ModelFormatException">Something is damaged or not supported.</exception>
    /// <exception cref="CheckpointMismatchException">Weights do not fit their config.</exception>
    /// <exception cref="TokenizerFileException">A file of the tokenizer is damaged.</exception>
    /// <remarks>Weights are streamed directly to their destination: besides the networks themselves, loading needs one buffer of 16 MB.</remarks>
    public static StableDiffusion Load(ModelSource source, CancellationToken cancellation = default)
    {
        ModelLoadOptions options = source.Options;
        options.Memory.Validate();
        Device device = options.Device ?? CPU;
        NoiseSchedule schedule = ModelSource.MakeSchedule(source.Path, source.Schedule);
        ClipTokenizer tokenizer = ClipTokenizer.Load(source.TokenizerFolder, source.PadToken);
        List<IDisposable> built = [],
            open = [];
        try
        {
            ClipTextModel text = new(source.Text);
            built.Add(text);
            AutoencoderKL vae = new(source.Vae);
            built.Add(vae);
            UNet2DConditionModel unet = new(source.UNet);
            built.Add(unet);

            // All keys and shapes first: mismatches are reported before gigabytes are read.
            WeightSet[] sets = [text.Weights, vae.Weights, unet.Weights];
            Checkpoint[] checkpoints = new Checkpoint[sets.Length];
            long bytes = 0;
            List<string> notes = [.. source.Notes];
            if (tokenizer.LearnedWords is { Count: > 0 } words)
                notes.Add(
                    $"tokenizer: learned words: {string.Join(", ", words.Keys.Take(5).Select(name => Excerpt.Of(name)))}{(words.Count > 5 ? ", ..." : "")}"
                );
            for (int i = 0; i < sets.Length; i++)
            {
                PartSource part = source.Parts[i];
                open.Add(checkpoints[i] = Checkpoint.Open(part.Path));
                long size = BytesToRead(sets[i], checkpoints[i], part, source, notes);
                if (IsWanted(i))
                    bytes += size;
            }
            LoadMeter meter = new(bytes, options.Progress, cancellation);
            for (int i = 0; i < sets.Length; i++)
            {
                if (!IsWanted(i))
                    continue;
                meter.Part = source.Parts[i].Name;
                StrictLoad.Load(
                    sets[i],
                    checkpoints[i],
                    device,
                    sets[i] == vae.Weights ? options.EffectiveVaeDtype : options.Dtype,
                    source.Parts[i].Keys,
                    source.Parts[i].IsIgnored,
                    meter
                );
            }

            // The weights have made the heap grow.
            Native.PrepareThread();
            if (source.PredictionIsGuessed)
            {
                (PredictionType prediction, double likeness) = PredictionProbe.Ask(unet, text, tokenizer);
                string kind = prediction == PredictionType.Epsilon ? "noise (epsilon), as Stable Diffusion 2.x base at 512 pixels" : "velocity (v)";
                notes.Add(
                    FormattableString.Invariant(
                        $"probed the network: at the noisiest timestep its output has a correlation of {likeness:0.00} with the noise, "
                    ) + $"so it predicts {kind}; specify the prediction type if that is wrong"
                );
                if (prediction != source.Schedule.Prediction)
                {
                    schedule = ModelSource.MakeSchedule(source.Path, source.Schedule with { Prediction = prediction });
                    UNet2DConditionModel resized = new(source.UNet with { SampleSize = 512 / source.Vae.Downscale });
                    built.Add(resized);
                    resized.Weights.Fill(weight => unet.Weights.Find(weight.Key)!.Value.alias());
                    unet.Dispose();
                    unet = resized;
                }
            }
            return new StableDiffusion(source.Name, tokenizer, text, vae, unet, schedule)
            {
                Source = source,
                Notes = notes,
                Memory = options.Memory,
            };
        }
        catch
        {
            foreach (IDisposable part in built)
                part.Dispose();
            throw;
        }
        finally
        {
            foreach (IDisposable file in open)
                file.Dispose();
        }

        // Offloaded networks are not read until they are used, unless the network has to be probed, which needs a prompt.
        bool IsWanted(int part) =>
            !options.Memory.Offload || source.Parts[part].Name == UNetPart || (source.Parts[part].Name == TextPart && source.PredictionIsGuessed);
    }

    /// <summary>The folder of the embedded model sd-mini.</summary>
    /// <exception cref="ModelFormatException">It is neither next to the program nor in an enclosing checkout.</exception>
    public static string MiniFolder()
    {
        // In another program's notebook, the model is in the folder that a cell referenced, which is this assembly's.
        string[] folders = [AppContext.BaseDirectory, Path.GetDirectoryName(typeof(StableDiffusion).Assembly.Location) ?? ""];
        List<string> looked =
        [
            .. folders.Where(f => f.Length > 0).Select(f => Path.Combine(Path.TrimEndingDirectorySeparator(f), "models", "sd-mini")).Distinct(),
        ];
        int named = looked.Count;
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            looked.Add(Path.Combine(at.FullName, "data", "models", "sd-mini"));
        return looked.Find(f => File.Exists(Path.Combine(f, "model_index.json")))
            ?? throw new ModelFormatException(
                $"The embedded model sd-mini was not found; looked in {string.Join(", ", looked.Take(named))} and in data/models/sd-mini of every folder "
                    + "above it."
            );
    }

    /// <summary>Loads the embedded model.</summary>
    public static StableDiffusion LoadMini(ModelLoadOptions? options = null) => Load(MiniFolder(), options);

    /// <summary>Embeds prompts.</summary>
    /// <param name="prompts">One per image.</param>
    /// <returns>Tokens, [B, context length, d]; owned by the caller's dispose scope.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Conditioning Embed(params IReadOnlyList<string> prompts) => Embed([.. prompts.Select(p => Tokenizer.Tokenize(p).EnsureFits())]);

    /// <summary>Embeds tokenized prompts.</summary>
    /// <returns>Tokens, [B, context length, d]; owned by the caller's dispose scope.</returns>
    /// <exception cref="PrecisionException">The text encoder left the range of its 16-bit numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Conditioning Embed(IReadOnlyList<TokenizedPrompt> prompts) =>
        Lifetime.WithoutGradient(() =>
            With(
                TextPart,
                Text.Weights,
                () =>
                {
                    Tensor embedding = Text.Forward(TokenizedPrompt.Stack(prompts, Device));
                    PrecisionException.ThrowUnlessFinite(embedding, Dtype, () => "The text embedding is");
                    return embedding.to(LatentDtype);
                }
            )
        );

    /// <summary>Latents of images.</summary>
    /// <param name="images">All of one size, sides divisible by the autoencoder's factor.</param>
    /// <returns>z_0, [B, 4, H/f, W/f]; owned by the caller's dispose scope.</returns>
    /// <exception cref="PrecisionException">The autoencoder left the range of its 16-bit numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Tensor Encode(IReadOnlyList<RgbImage> images) =>
        Lifetime.WithoutGradient(() =>
            With(
                VaePart,
                Vae.Weights,
                () =>
                {
                    Tensor pixels = ImageTensor.ToPixels(images, Device, VaeDtype);
                    MemoryOptions memory = _memory;
                    Tensor latents = memory.VaeTile is { } tile ? new VaeTiling(Vae, tile, memory.Overlap).Encode(pixels) : Vae.Encode(pixels);
                    PrecisionException.ThrowUnlessFinite(latents, VaeDtype, () => "The autoencoder's encoding of the image is");
                    return latents.to(LatentDtype);
                }
            )
        );

    /// <summary>Images of latents.</summary>
    /// <param name="latents">[B, 4, h, w]; borrowed.</param>
    /// <exception cref="PrecisionException">The autoencoder left the range of its 16-bit numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public RgbImage[] Decode(Tensor latents)
    {
        using Tensor pixels = Lifetime.WithoutGradient(() =>
            With(
                VaePart,
                Vae.Weights,
                () =>
                {
                    Tensor z = latents.to(VaeDtype);
                    MemoryOptions memory = _memory;
                    Tensor decoded = memory.VaeTile is { } tile ? new VaeTiling(Vae, tile, memory.Overlap).Decode(z) : Vae.Decode(z);
                    PrecisionException.ThrowUnlessFinite(decoded, VaeDtype, () => "The picture that the autoencoder decoded is");
                    return decoded;
                }
            )
        );
        return ImageTensor.ToImages(pixels);
    }

    /// <summary>
    /// A noise predictor on top of the U-Net; it predicts noise whatever the network predicts. Use it from one thread at a time, and only while the model
    /// lives.
    /// </summary>
    /// <param name="hook">Hook for the attention layers; null means fused attention.</param>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public INoisePredictor Predictor(INetworkHook? hook = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        INoisePredictor network = new UNetNoisePredictor(UNet, hook, Memory);
        return Schedule.Prediction == PredictionType.Velocity ? new VelocityPredictor(network, Schedule) : network;
    }

    /// <summary>A sampling grid of T steps.</summary>
    public TimestepGrid Grid(int steps) => new(Schedule, steps);

    /// <summary>SHA-256 over the weight, config and tokenizer files and whatever else decides its results; reads them all.</summary>
    /// <exception cref="InvalidOperationException">The model was not loaded from a folder or file.</exception>
    public string Fingerprint()
    {
        ModelSource source =
            Source ?? throw new InvalidOperationException($"The model {Name} was not loaded from a folder or file; give its fingerprint explicitly.");
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, string path) in source.IsSingleFile ? source.Files.Select(f => (Path.GetExtension(f), f)) : FolderFiles(source.Path))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
            using FileStream stream = File.OpenRead(path);
            hash.AppendData(SHA256.HashData(stream));
        }
        // Precision is part of the weights' identity here, and so is the prediction type that was specified.
        hash.AppendData(Encoding.UTF8.GetBytes(Dtype.ToString()));
        // Memory options do not change results, except for the autoencoder's tiles; its precision counts if it is not the default.
        ModelLoadOptions numerics = source.Options with
        {
            Memory = Memory,
        };
        if (numerics.Numerics != new ModelLoadOptions { Dtype = numerics.Dtype }.Numerics)
            hash.AppendData(Encoding.UTF8.GetBytes(numerics.Numerics));
        if (source.Options is { Variant: not null } or { Prediction: not null } or { ZeroTerminalSnr: not null } or { Spacing: not null } or { UseEma: true })
            hash.AppendData(
                Encoding.UTF8.GetBytes(
                    $"{source.Options.Variant}|{Schedule.Prediction}|{source.Schedule.ZeroTerminalSnr}|{source.Schedule.Spacing}|{source.Options.UseEma}"
                )
            );
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        static IEnumerable<(string Name, string Path)> FolderFiles(string folder) =>
            Directory
                .GetFiles(folder, "*", SearchOption.AllDirectories)
                .Where(f => Path.GetExtension(f) is ".safetensors" or ".json" or ".txt")
                .Select(f => Path.GetRelativePath(folder, f))
                // Networks of metrics may lie beside the model's; they do not change its results.
                .Where(f => !MetricNetworks.Folders.Contains(f.Split(Path.DirectorySeparatorChar)[0]))
                .Order(StringComparer.Ordinal)
                .Select(f => (f.Replace('\\', '/'), Path.Combine(folder, f)));
    }

    /// <summary>
    /// Frees the networks. Waits for passes that run in other threads; later ones throw <see cref="ObjectDisposedException"/>. Calling it again has no effect.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from within a pass through one of the networks (a loss, an attention processor).</exception>
    public void Dispose()
    {
        // All or nothing: checked before anything is freed.
        foreach (WeightSet weights in (WeightSet[])[Text.Weights, Vae.Weights, UNet.Weights])
            weights.RefuseWithinUse("disposed");
        _disposed = true;
        Text.Dispose();
        Vae.Dispose();
        UNet.Dispose();
    }

    /// <summary>Runs work with a network that may have to be loaded first.</summary>
    private Tensor With(string part, WeightSet weights, Func<Tensor> work)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!_memory.Offload)
        {
            using (weights.Use())
            {
                if (IsThere(weights))
                    return work();
            }
            // Freed or moved under earlier settings; new settings may do it again before the work begins.
            lock (_away)
                Fetch(part, weights);
            // In a model assembled by hand, a part that was never filled reports that itself.
            if (Source is null && !weights.All[0].HasValue)
                return work();
        }
        lock (_away)
        {
            try
            {
                Fetch(part, weights);
                return work();
            }
            finally
            {
                PutAway(weights);
            }
        }
    }

    private bool IsThere(WeightSet weights) => weights.All[0].HasValue && weights.Device.type == Device.type;

    private void Fetch(string part, WeightSet weights)
    {
        if (IsThere(weights))
            return;
        ScalarType dtype = part == VaePart ? VaeDtype : Dtype;
        if (weights.All[0].HasValue)
        {
            weights.MoveTo(Device, dtype);
            return;
        }
        // In a model assembled by hand, a part that was never filled reports that itself.
        if (Source is null)
            return;
        PartSource from = Source.Parts.First(p => p.Name == part);
        using Checkpoint checkpoint = Checkpoint.Open(from.Path);
        StrictLoad.Load(weights, checkpoint, Device, dtype, from.Keys, from.IsIgnored, null);
    }

    private void PutAway(WeightSet weights)
    {
        if (!weights.All[0].HasValue)
            return;
        if (Device.type == DeviceType.CPU)
            weights.Clear();
        else
            weights.MoveTo(CPU, weights.Dtype);
        Native.TrimMemory();
    }

    private static long BytesToRead(WeightSet weights, Checkpoint checkpoint, PartSource part, ModelSource source, List<string> notes)
    {
        try
        {
            (Dictionary<string, (KeySource Source, SafetensorsEntry Entry)> found, IReadOnlyList<string> stray) = StrictLoad.Match(
                weights,
                checkpoint,
                part.Keys,
                part.IsIgnored
            );
            if (stray.Count > 0)
                notes.Add($"{part.Name}: {ModelSource.Left(stray)}");
            if (checkpoint.Wrapping.Length > 0 && !source.IsSingleFile)
                notes.Add($"{part.Name}: the names begin with '{checkpoint.Wrapping}', which was ignored");
            return found.Sum(m => weights.Find(m.Key)!.Count * SafetensorsFile.BytesOf(m.Value.Entry.Dtype));
        }
        catch (CheckpointMismatchException e)
        {
            throw e.With(MismatchHint.For(part.Name, checkpoint, source));
        }
    }
}
