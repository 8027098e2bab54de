using System.Globalization;

namespace NullTextResearch.Cli.Running;

/// <summary>Measures of pictures in words.</summary>
internal static class PictureMeasures
{
    /// <summary>A PSNR in words.</summary>
    public static string Decibels(double psnr) =>
        double.IsPositiveInfinity(psnr) ? "equal to the pixel" : string.Create(CultureInfo.InvariantCulture, $"{psnr:0.0} dB");
}
