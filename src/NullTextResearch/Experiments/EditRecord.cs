using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Experiments;

/// <summary>One edited version of an image.</summary>
/// <param name="Prompt">Target prompt.</param>
/// <param name="Label">What was changed.</param>
/// <param name="Png">The edited image as PNG.</param>
/// <param name="DistanceToSource"><see cref="MultiScaleDistance"/> to the input image.</param>
public sealed record EditRecord(string Prompt, string Label, byte[] Png, double DistanceToSource)
{
    /// <summary>The true result as PNG, if it is known.</summary>
    public byte[]? TruthPng { get; init; }

    /// <summary>PSNR against the true result, dB, if it is known.</summary>
    public double? PsnrToTruth { get; init; }

    /// <summary>PSNR of the unedited input against the true result, dB: what doing nothing would score.</summary>
    public double? SourcePsnrToTruth { get; init; }

    /// <summary>Whether the classifier finds the target scene's objects and background; null without a classifier or target scene.</summary>
    public bool? Recognised { get; init; }

    /// <summary>The edited image.</summary>
    public RgbImage Image() => ImageFile.Decode(Png);
}
