using NullTextResearch.Metrics;

namespace NullTextResearch.Cli.Running;

/// <summary>Image measures as text.</summary>
internal static class PictureMeasures
{
    /// <summary>A PSNR as text.</summary>
    public static string Decibels(double psnr) => Psnr.InWords(psnr);
}
