using NullTextResearch.Metrics;

namespace NullTextResearch.Cli.Running;

/// <summary>Measures of pictures in words.</summary>
internal static class PictureMeasures
{
    /// <summary>A PSNR in words.</summary>
    public static string Decibels(double psnr) => Psnr.InWords(psnr);
}
