using NullTextResearch.Images;

namespace NullTextResearch.Experiments;

/// <summary>One image, reconstructed by one method.</summary>
public sealed record ReconstructionRecord
{
    /// <summary>N, or 0 for methods without optimisation.</summary>
    public required int InnerSteps { get; init; }

    /// <summary>PSNR against the input image, 8 bit, dB.</summary>
    public required double Psnr { get; init; }

    /// <summary>The reconstruction as PNG.</summary>
    public required byte[] Png { get; init; }

    /// <summary>Network evaluations of the inversion.</summary>
    public double Evaluations { get; init; }

    /// <summary>How many of them were followed by a backward pass.</summary>
    public double Backwards { get; init; }

    /// <summary>Seconds of the inversion: the batch's time divided by its number of images.</summary>
    public double Seconds { get; init; }

    /// <summary>The reconstruction.</summary>
    public RgbImage Image() => ImageFile.Decode(Png);
}
