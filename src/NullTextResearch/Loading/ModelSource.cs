using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Models;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>
/// A model on disk, inspected but not loaded: its files, the networks they contain, and what had to be assumed. It is a diffusers-format folder or a
/// single file of the original layout; later code does not need to know which.
/// </summary>
public sealed class ModelSource
{
    private readonly Lazy<long> _parameters;

    private ModelSource(string path, ModelLoadOptions options, UNetConfig unet, VaeConfig vae, ClipTextConfig text, ScheduleConfig schedule)
    {
        Path = System.IO.Path.GetFullPath(path);
        Options = options;
        UNet = unet;
        Vae = vae;
        Text = text;
        Schedule = schedule with
        {
            Prediction = options.Prediction ?? schedule.Prediction,
            ZeroTerminalSnr = options.ZeroTerminalSnr ?? schedule.ZeroTerminalSnr,
            Spacing = options.Spacing ?? schedule.Spacing,
        };
        MakeSchedule(Path, Schedule);
        _parameters = new Lazy<long>(() =>
        {
            // Declaring a network allocates nothing.
            using UNet2DConditionModel u = new(UNet);
            using AutoencoderKL v = new(Vae);
            using ClipTextModel t = new(Text);
            return u.Weights.ParameterCount + v.Weights.ParameterCount + t.Weights.ParameterCount;
        });
    }

    /// <summary>Full path of the folder or file.</summary>
    public string Path { get; }

    /// <summary>Name, as in manifests: that of the folder, of the file without its extension, or owner/name of a model from the cache.</summary>
    public string Name =>
        IsSingleFile
            ? System.IO.Path.GetFileNameWithoutExtension(Path)
            : ModelCache.NameOf(Path)?.Id ?? System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path));

    /// <summary>Whether it is one file of the original layout.</summary>
    public required bool IsSingleFile { get; init; }

    /// <summary>The options it was found with; loading uses the same.</summary>
    public ModelLoadOptions Options { get; }

    /// <summary>The U-Net.</summary>
    public UNetConfig UNet { get; }

    /// <summary>The autoencoder.</summary>
    public VaeConfig Vae { get; }

    /// <summary>The text encoder.</summary>
    public ClipTextConfig Text { get; }

    /// <summary>The noise schedule, with the options applied.</summary>
    public ScheduleConfig Schedule { get; }

    /// <summary>Whether the files do not say what the network predicts, so that loading probes the network.</summary>
    public bool PredictionIsGuessed { get; private init; }

    /// <summary>Folder with the vocabulary.</summary>
    public required string TokenizerFolder { get; init; }

    /// <summary>Full paths of all files of the model, in a fixed order.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>What was chosen or assumed, one sentence each; empty for a plain folder.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Number of parameters of all three networks.</summary>
    public long ParameterCount => _parameters.Value;

    /// <summary>Pixels per side of the images it was trained on.</summary>
    public int ImageSize => UNet.SampleSize * Vae.Downscale;

    /// <summary>Which image sizes it accepts.</summary>
    public SizeRule Sizes => new(Vae.Downscale, ImageSize);

    /// <summary>Padding piece, for a vocabulary folder that may not specify it; null if the folder does.</summary>
    internal string? PadToken { get; private init; }

    /// <summary>Text encoder, autoencoder, U-Net: where their weights are stored.</summary>
    internal IReadOnlyList<PartSource> Parts { get; private init; } = [];

    /// <summary>Inspects a model.</summary>
    /// <param name="path">
    /// A diffusers-format folder (model_index.json, unet/, vae/, text_encoder/, tokenizer/, scheduler/), an original single-file <c>.safetensors</c>
    /// checkpoint, or owner/name of a model in the user's <see cref="ModelCache"/>. Nothing is downloaded.
    /// </param>
    /// <param name="options">How it will be loaded; null for the defaults.</param>
    /// <exception cref="ModelNotFoundException">
    /// A name was given, and the cache does not contain that model; the message gives the command that downloads it.
    /// </exception>
    /// <exception cref="ModelFormatException">
    /// There is no model, it is of another kind, a part is missing, or something is not supported; the message says what was found and expected.
    /// </exception>
    public static ModelSource Find(string path, ModelLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new ModelLoadOptions();
        path = ModelCache.FromEnvironment().Resolve(path);
        try
        {
            if (Directory.Exists(path))
                return FromFolder(path, options);
            if (!File.Exists(path))
                throw FolderLayout.Nothing(path);
            if (PickleCheckpoint.IsNamedLikeOne(path))
                throw PickleCheckpoint.Refuse(path);
            return FromFile(path, options);
        }
        // From a folder that may not be listed, or a failing disk.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The note about unused tensors.</summary>
    internal static string Left(IReadOnlyList<string> names) =>
        $"{names.Count} tensors belong to no part of the model and were ignored: "
        + $"{string.Join(", ", names.Take(5).Select(name => Excerpt.Of(name)))}{(names.Count > 5 ? ", ..." : "")}";

    /// <summary>Builds the schedule; rejects one that contradicts what the network predicts.</summary>
    /// <exception cref="ModelFormatException">The schedule is invalid.</exception>
    internal static NoiseSchedule MakeSchedule(string name, ScheduleConfig config)
    {
        try
        {
            return NoiseSchedule.Of(config);
        }
        catch (ArgumentException e)
        {
            throw new ModelFormatException($"{name}: {Excerpt.WithoutParameter(e)}", e);
        }
    }

    /// <summary>Rejects parts of different models.</summary>
    internal static void RequireFitting(string name, UNetConfig unet, VaeConfig vae, ClipTextConfig text)
    {
        if (text.HiddenSize != unet.CrossAttentionDim)
        {
            throw new ModelFormatException(
                $"{name}: the text encoder is {text.HiddenSize} wide ({KnownModels.TextEncoderOf(text.HiddenSize)}), the U-Net expects "
                    + $"{unet.CrossAttentionDim} ({KnownModels.TextEncoderOf(unet.CrossAttentionDim)}); the parts come from different models. "
                    + $"{KnownModels.Nearest(unet)}"
            );
        }
        if (vae.LatentChannels != unet.InChannels)
        {
            string what = unet.InChannels switch
            {
                9 => " (9: an inpainting model; use its base model)",
                8 => " (8: InstructPix2Pix; use its base model)",
                _ => "",
            };
            throw new ModelFormatException(
                $"{name}: the autoencoder has {vae.LatentChannels} latent channels, the U-Net expects {unet.InChannels}{what}; the parts come from "
                    + $"different models. {KnownModels.Nearest(unet)}"
            );
        }
    }

    private static ModelSource FromFolder(string folder, ModelLoadOptions options)
    {
        FolderLayout.Require(folder);
        if (options.UseEma)
            throw new ModelFormatException($"{folder} is a diffusers-format folder, which holds one set of weights; UseEma is for original single files.");
        List<string> notes = [];
        string At(string part, string file) => System.IO.Path.Combine(folder, part, file);
        UNetConfig unet = UNetConfig.Read(ConfigReader.FromFile(At("unet", "config.json")));
        VaeConfig vae = VaeConfig.Read(ConfigReader.FromFile(At("vae", "config.json")));
        ClipTextConfig text = ClipTextConfig.Read(ConfigReader.FromFile(At("text_encoder", "config.json")));
        RequireFitting(folder, unet, vae, text);
        PartSource[] parts =
        [
            new(
                "text_encoder",
                FolderLayout.Weights(System.IO.Path.Combine(folder, "text_encoder"), "model", options, notes),
                key => [new KeySource(key), new KeySource(CheckpointKeys.OlderTextKey(key))],
                CheckpointKeys.IsIgnored
            ),
            new(
                "vae",
                FolderLayout.Weights(System.IO.Path.Combine(folder, "vae"), "diffusion_pytorch_model", options, notes),
                key =>
                    [
                        new KeySource(key) { IgnoreUnitAxes = IsAttention(key) },
                        new KeySource(CheckpointKeys.OlderVaeKey(key)) { IgnoreUnitAxes = IsAttention(key) },
                    ],
                CheckpointKeys.IsIgnored
            ),
            new(
                "unet",
                FolderLayout.Weights(System.IO.Path.Combine(folder, "unet"), "diffusion_pytorch_model", options, notes),
                key => [new KeySource(key)],
                CheckpointKeys.IsIgnored
            ),
        ];
        string tokenizer = options.Tokenizer is { } named ? TokenizerSearch.In(named) : System.IO.Path.Combine(folder, "tokenizer");
        ScheduleConfig schedule = ScheduleReader.Read(ConfigReader.FromFile(At("scheduler", "scheduler_config.json")), notes);
        return new ModelSource(folder, options, unet, vae, text, schedule)
        {
            IsSingleFile = false,
            TokenizerFolder = tokenizer,
            Parts = parts,
            Files = AllFiles(
                [At("unet", "config.json"), At("vae", "config.json"), At("text_encoder", "config.json"), At("scheduler", "scheduler_config.json")],
                parts,
                tokenizer
            ),
            Notes = notes,
        };

        static bool IsAttention(string key) => key.Contains(".attentions.", StringComparison.Ordinal);
    }

    private static ModelSource FromFile(string path, ModelLoadOptions options)
    {
        if (!string.IsNullOrEmpty(options.Variant))
            throw new ModelFormatException($"{path} is a single file and has no variants; leave '{options.Variant}' out.");
        using Checkpoint file = Checkpoint.Open(path);
        SingleFileLayout layout = SingleFileLayout.Read(file, options);
        RequireFitting(path, layout.UNet, layout.Vae, layout.Text);
        PartSource[] parts =
        [
            new("text_encoder", path, layout.TextKeys, layout.IsOutsideText),
            new("vae", path, SingleFileKeys.Vae(layout.Vae), SingleFileLayout.IsOutsideVae),
            new(
                "unet",
                path,
                SingleFileKeys.UNet(layout.UNet, options.UseEma),
                options.UseEma ? SingleFileLayout.IsOutsideEma : SingleFileLayout.IsOutsideUNet
            ),
        ];
        using (ClipTextModel text = new(layout.Text))
            StrictLoad.RequireReadable(text.Weights, file, parts[0].Keys);
        using (AutoencoderKL vae = new(layout.Vae))
            StrictLoad.RequireReadable(vae.Weights, file, parts[1].Keys);
        using (UNet2DConditionModel unet = new(layout.UNet))
            StrictLoad.RequireReadable(unet.Weights, file, parts[2].Keys);
        string tokenizer = options.Tokenizer is { } named ? TokenizerSearch.In(named) : TokenizerSearch.For(path, layout.Text.VocabSize);
        return new ModelSource(path, options, layout.UNet, layout.Vae, layout.Text, layout.Schedule)
        {
            IsSingleFile = true,
            TokenizerFolder = tokenizer,
            PadToken = layout.IsOpenClip ? "!" : ClipText.EndOfText,
            PredictionIsGuessed = layout.PredictionIsGuessed,
            Parts = parts,
            Files = AllFiles([], parts, tokenizer),
            Notes =
            [
                .. file.Wrapping.Length > 0
                    ? [$"the tensor names in {System.IO.Path.GetFileName(path)} begin with '{file.Wrapping}', which was removed"]
                    : (string[])[],
                .. layout.Notes,
                $"tokenizer: {tokenizer}",
            ],
        };
    }

    private static string[] AllFiles(string[] configs, PartSource[] parts, string tokenizer) =>
        [
            .. configs
                .Concat(
                    parts.SelectMany(p => p.Path.EndsWith(".json", StringComparison.Ordinal) ? [p.Path, .. Checkpoint.ShardsOf(p.Path)] : (string[])[p.Path])
                )
                .Concat((ClipTokenizer.FileNames).Select(f => System.IO.Path.Combine(tokenizer, f)).Where(File.Exists))
                .Select(System.IO.Path.GetFullPath)
                .Distinct(StringComparer.Ordinal),
        ];
}

/// <summary>Where the weights of one network are stored.</summary>
/// <param name="Name">text_encoder, vae or unet.</param>
/// <param name="Path">Safetensors file or index.</param>
/// <param name="Keys">The names under which it may store each weight.</param>
/// <param name="IsIgnored">Names that may remain unused.</param>
internal sealed record PartSource(string Name, string Path, Func<string, IReadOnlyList<KeySource>> Keys, Func<string, bool> IsIgnored);
