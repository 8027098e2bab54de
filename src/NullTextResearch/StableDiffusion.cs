using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Loading;
using NullTextResearch.Models;
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
/// What may run side by side, in several threads on one model: everything that embeds, encodes, decodes and predicts, so also inversions and edits,
/// each with a <see cref="Predictor"/> of its own; results are those of one alone, to the last bit. With <see cref="MemoryOptions.Offload"/> text
/// encoder and autoencoder serve one thread at a time. <see cref="Memory"/> may be set meanwhile, and <see cref="Dispose"/> be called: both wait for the
/// passes through the networks that run (a pass is one call of a network, not a whole inversion). Work that goes on after <see cref="Dispose"/> ends
/// with <see cref="ObjectDisposedException"/> at its next pass, as does any later use. Results (latents, embeddings, an
/// <see cref="Inversion.InversionResult"/>) do not need the model any more.
/// </remarks>
public sealed class StableDiffusion : IDisposable
{
    private const string TextPart = "text_encoder",
        VaePart = "vae",
        UNetPart = "unet";

    // Held while a network that is not always there works.
    private readonly Lock _away = new();
    private volatile MemoryOptions _memory = new();
    private volatile bool _disposed;

    /// <summary>Puts a model together from parts; takes ownership of the networks.</summary>
    public StableDiffusion(string name, ITextTokenizer tokenizer, ClipTextModel text, AutoencoderKL vae, UNet2DConditionModel unet, NoiseSchedule schedule)
    {
        ModelSource.RequireFitting(name, unet.Config, vae.Config, text.Config);
        if (
            tokenizer is ClipTokenizer { LearnedWords.Count: > 0 } learned
            && learned.LearnedWords.MaxBy(w => w.Value) is { } last
            && last.Value >= text.Config.VocabSize
        )
            throw new ModelFormatException(
                $"{name}: the tokenizer's learned word '{last.Key}' has the id {last.Value}, and the text encoder has {text.Config.VocabSize} rows in its "
                    + "token_embedding, so what was learned is not in it. Save the text encoder that was trained with the word, or remove the word from "
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

    /// <summary>What was chosen or assumed while loading, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>Prompt to token ids.</summary>
    public ITextTokenizer Tokenizer { get; }

    /// <summary>
    /// Token ids to text embedding. Its weights may be away (<see cref="MemoryOptions.Offload"/>): <see cref="Embed(IReadOnlyList{string})"/> fetches
    /// them.
    /// </summary>
    public ClipTextModel Text { get; }

    /// <summary>
    /// Pixels to latents and back. Its weights may be away (<see cref="MemoryOptions.Offload"/>): <see cref="Encode"/> and <see cref="Decode"/> fetch
    /// them.
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

    /// <summary>Precision of latents and embeddings, and so of everything between the networks: float32 also beside networks of 16 bits.</summary>
    public ScalarType LatentDtype => Precision.Wide(Dtype);

    /// <summary>
    /// What may be slower to need less memory. Holds for predictors made, and images and prompts processed, from now on; waits for what other threads
    /// do with a network that is put away.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of range; or networks shall be read from disk again that did not come from there.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="InvalidOperationException">Set from within a pass through a network that would have to be put away.</exception>
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

    /// <summary>Which image sizes it takes.</summary>
    public SizeRule Sizes => new(Vae.Config.Downscale, ImageSize);

    /// <summary>Loads a model from a diffusers-format folder or an original single-file checkpoint.</summary>
    /// <param name="path">
    /// Folder with unet/, vae/, text_encoder/, tokenizer/, scheduler/; or a <c>.safetensors</c> file with all three networks in CompVis' or
    /// StabilityAI's layout; or the name of a model in the user's <see cref="ModelCache"/>, owner/name. Nothing is downloaded.
    /// </param>
    /// <param name="options">Device, precision, and what the model does not say by itself.</param>
    /// <param name="cancellation">Checked while weights are read.</param>
    /// <exception cref="ModelNotFoundException">A name was given, and the cache does not have that model.</exception>
    /// <exception cref="ModelFormatException">A part is missing, or something is not supported.</exception>
    /// <exception cref="CheckpointMismatchException">Weights do not fit their config.</exception>
    /// <exception cref="TokenizerFileException">A file of the tokenizer is damaged.</exception>
    public static StableDiffusion Load(string path, ModelLoadOptions? options = null, CancellationToken cancellation = default) =>
        Load(ModelSource.Find(path, options), cancellation);

    /// <summary>Loads a model that was looked at before, with the options it was looked at with.</summary>
    /// <param name="source">The model on disk.</param>
    /// <param name="cancellation">Checked while weights are read.</param>
    /// <exception cref="ModelFormatException">Something is damaged or not supported.</exception>
    /// <exception cref="CheckpointMismatchException">Weights do not fit their config.</exception>
    /// <exception cref="TokenizerFileException">A file of the tokenizer is damaged.</exception>
    /// <remarks>Weights are streamed straight to where they will live: beyond the networks themselves, loading takes one buffer of 16 MB.</remarks>
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

            // All keys and shapes first: what does not fit is told before gigabytes are read.
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
                        $"asked the network: at the noisiest timestep its answer resembles the noise with a correlation of {likeness:0.00}, "
                    ) + $"so it predicts {kind}; name the prediction type if that is wrong"
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

        // What is only there while it works is not read before it does; unless the network has to be asked something, which takes a prompt.
        bool IsWanted(int part) =>
            !options.Memory.Offload || source.Parts[part].Name == UNetPart || (source.Parts[part].Name == TextPart && source.PredictionIsGuessed);
    }

    /// <summary>The folder of the embedded model sd-mini.</summary>
    /// <exception cref="ModelFormatException">It is not beside the program, nor in a checkout around it.</exception>
    public static string MiniFolder()
    {
        // In a notebook of another program the model came with the folder that a cell referenced, which is this assembly's.
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
    /// <returns>[B, 77, d]; owned by the caller's dispose scope.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Tensor Embed(params IReadOnlyList<string> prompts) => Embed([.. prompts.Select(p => Tokenizer.Tokenize(p).EnsureFits())]);

    /// <summary>Embeds tokenized prompts.</summary>
    /// <returns>[B, 77, d]; owned by the caller's dispose scope.</returns>
    /// <exception cref="PrecisionException">The text encoder left the range of its 16-bit numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Tensor Embed(IReadOnlyList<TokenizedPrompt> prompts) =>
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
                    PrecisionException.ThrowUnlessFinite(latents, VaeDtype, () => "What the autoencoder made of the image is");
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
                    PrecisionException.ThrowUnlessFinite(decoded, VaeDtype, () => "The picture that the autoencoder made is");
                    return decoded;
                }
            )
        );
        return ImageTensor.ToImages(pixels);
    }

    /// <summary>
    /// A noise predictor over the U-Net; it predicts noise whatever the network does. One is for one thread at a time; it lives as long as the model.
    /// </summary>
    /// <param name="attention">What happens at attention layers; null means fused attention.</param>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public INoisePredictor Predictor(INetworkHook? attention = null)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        INoisePredictor network = new UNetNoisePredictor(UNet, attention, Memory);
        return Schedule.Prediction == PredictionType.Velocity ? new VelocityPredictor(network, Schedule) : network;
    }

    /// <summary>A sampling grid of T steps.</summary>
    public TimestepGrid Grid(int steps) => new(Schedule, steps);

    /// <summary>
    /// Frees the networks. Waits for passes through them that run in other threads; later ones throw <see cref="ObjectDisposedException"/>. A second
    /// time nothing happens.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called from within a pass through one of the networks (a loss, an attention processor).</exception>
    public void Dispose()
    {
        // All or nothing: before anything is freed.
        foreach (WeightSet weights in (WeightSet[])[Text.Weights, Vae.Weights, UNet.Weights])
            weights.RefuseWithinUse("disposed");
        _disposed = true;
        Text.Dispose();
        Vae.Dispose();
        UNet.Dispose();
    }

    /// <summary>Runs work with a network that may have to be fetched first.</summary>
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
            // Freed or moved under earlier settings; other settings may do it again before the work begins.
            lock (_away)
                Fetch(part, weights);
            // Of parts that were put together by hand, one that was never filled says so itself.
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
        // Of parts that were put together by hand, one that was never filled says so itself.
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
                notes.Add($"{part.Name}: the names begin with '{checkpoint.Wrapping}', which was left out");
            return found.Sum(m => weights.Find(m.Key)!.Count * SafetensorsFile.BytesOf(m.Value.Entry.Dtype));
        }
        catch (CheckpointMismatchException e)
        {
            throw e.With(MismatchHint.For(part.Name, checkpoint, source));
        }
    }
}
