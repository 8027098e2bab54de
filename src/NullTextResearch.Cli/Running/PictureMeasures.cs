using System.Globalization;
using NullTextResearch.Images;

namespace NullTextResearch.Cli.Running;

/// <summary>Numbers about pictures as they are written to files.</summary>
internal static class PictureMeasures
{
    /// <summary>Peak signal-to-noise ratio of 8-bit pictures, dB; infinite for equal ones.</summary>
    public static double Psnr(RgbImage a, RgbImage b)
    {
        if (a.Width != b.Width || a.Height != b.Height) throw new ArgumentException($"PSNR compares pictures of one size, got {a} and {b}.");
        double sum = 0;
        for (int i = 0; i < a.Rgb.Length; i++)
        {
            double difference = a.Rgb[i] - b.Rgb[i];
            sum += difference * difference;
        }

        return 10 * Math.Log10(255.0 * 255.0 / (sum / a.Rgb.Length));
    }

    /// <summary>A PSNR in words.</summary>
    public static string Decibels(double psnr) => double.IsPositiveInfinity(psnr) ? "equal to the pixel" : string.Create(CultureInfo.InvariantCulture, $"{psnr:0.0} dB");
}
