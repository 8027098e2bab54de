using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Tensors;

namespace NullTextResearch.Experiments;

/// <summary>Inputs and outcome of an inversion: the <c>manifest.json</c> of a run folder.</summary>
public sealed record InversionManifest
{
    /// <summary>Incremented by hand when the folder's format or an algorithm's numbers change; part of the key.</summary>
    public const int CurrentVersion = 1;

    /// <summary>Version of the format and the algorithms.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Identifies image, prompt, model and options: see <see cref="RunFolder.Key"/>.</summary>
    public required string Key { get; init; }

    /// <summary>When the run ended, UTC.</summary>
    public DateTimeOffset Finished { get; init; }

    /// <summary>Version of the program.</summary>
    public string Program { get; init; } = typeof(InversionManifest).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Folder or file of the model, or null for the embedded one.</summary>
    public string? ModelFolder { get; init; }

    /// <summary>The requested variant of the weight files, or null.</summary>
    public string? ModelVariant { get; init; }

    /// <summary>The prediction type that was specified, or null if the model specifies it.</summary>
    public PredictionType? ModelPrediction { get; init; }

    /// <summary>The requested vocabulary folder, or null.</summary>
    public string? ModelTokenizer { get; init; }

    /// <summary>Precision of U-Net and text encoder, by name; null in runs from before there was a choice, which means fp32.</summary>
    public string? ModelPrecision { get; init; }

    /// <summary>The requested precision of the autoencoder, or null for the default.</summary>
    public string? ModelVaePrecision { get; init; }

    /// <summary>The memory options used, or null for none.</summary>
    public MemoryOptions? ModelMemory { get; init; }

    /// <summary>How often a gradient overflowed float16 and was computed again.</summary>
    public int GradientBackOffs { get; init; }

    /// <summary>Identity of the model's weights: see <see cref="RunFolder.ModelIdentity"/>.</summary>
    public required string ModelIdentity { get; init; }

    /// <summary>The image file, as given.</summary>
    public required string Image { get; init; }

    /// <summary>Size after cropping and resizing.</summary>
    public required PixelSize ImageSize { get; init; }

    /// <summary>Prompt of the image.</summary>
    public required string Prompt { get; init; }

    /// <summary>Name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>w.</summary>
    public required double GuidanceScale { get; init; }

    /// <summary>Options of the method.</summary>
    public JsonElement? Options { get; init; }

    /// <summary>Network evaluations per image.</summary>
    public double Evaluations { get; init; }

    /// <summary>How many of them were followed by a backward pass.</summary>
    public double Backwards { get; init; }

    /// <summary>Seconds of inversion, without interruptions.</summary>
    public double Seconds { get; init; }

    /// <summary>CPU threads per operation; null in runs of earlier versions. The number affects the order of summation.</summary>
    public int? Threads { get; init; }

    /// <summary>PSNR of the autoencoder's round trip against the image, dB: the ceiling of any inversion.</summary>
    public double VaePsnr { get; init; }

    /// <summary>PSNR of the reconstruction against the image, dB.</summary>
    public double Psnr { get; init; }

    /// <summary>PSNR of the reconstruction against the autoencoder's round trip, dB.</summary>
    public double PsnrAgainstVae { get; init; }

    /// <summary>Checksum of the tensor file, set by <see cref="RunFolder.Save"/>; null in runs that predate it.</summary>
    public string? TensorChecksum { get; init; }

    /// <summary>A value that is impossible in a finished run, or null.</summary>
    internal string? Problem() =>
        this switch
        {
            { Steps: < 1 or > 100_000 } => $"steps is {Steps}",
            _ when !double.IsFinite(GuidanceScale) => FormattableString.Invariant($"guidanceScale is {GuidanceScale}"),
            // A duration must fit into a TimeSpan.
            _ when !(Seconds >= 0 && Seconds < TimeSpan.MaxValue.TotalSeconds) => FormattableString.Invariant($"seconds is {Seconds}"),
            _ when !(Evaluations >= 0 && double.IsFinite(Evaluations)) => FormattableString.Invariant($"evaluations is {Evaluations}"),
            _ when !(Backwards >= 0 && double.IsFinite(Backwards)) => FormattableString.Invariant($"backwards is {Backwards}"),
            { ImageSize: { Width: < 1 } or { Height: < 1 } } => $"imageSize is {ImageSize}",
            { ModelPrecision: { } name } when !Precision.Names.Contains(name) => $"modelPrecision is '{name}'",
            { ModelVaePrecision: { } name } when !Precision.Names.Contains(name) => $"modelVaePrecision is '{name}'",
            _ => null,
        };
}
