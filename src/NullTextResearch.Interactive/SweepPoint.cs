using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Interactive;

/// <summary>One picture of a sweep.</summary>
/// <param name="Values">Value of each axis.</param>
/// <param name="Image">The picture.</param>
/// <param name="Psnr">PSNR against the source image, dB.</param>
/// <param name="Distance">Distance to the source image: one minus the structural similarity over up to three scales, 0 (equal) to about 1.</param>
public sealed record SweepPoint(IReadOnlyList<double> Values, RgbImage Image, double Psnr, double Distance)
{
    internal static SweepPoint Of(IReadOnlyList<double> values, RgbImage image, RgbImage source) =>
        new(values, image, Metrics.Psnr.Of(image, source), MultiScaleDistance.Of(source, image));
}
