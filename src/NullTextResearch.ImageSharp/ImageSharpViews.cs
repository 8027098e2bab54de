using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace NullTextResearch.ImageSharp;

/// <summary>Shows ImageSharp images at the end of a cell like the library's own images.</summary>
public static class ImageSharpViews
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A cell that never names this package must show its images too.")]
    internal static void Register() => Notebook.ShowInstead(Of);

    /// <summary>The library image for an ImageSharp image of any pixel format.</summary>
    /// <param name="value">Any value.</param>
    /// <returns>An <see cref="RgbImage"/>, transparency blended onto white; null if the value is not an ImageSharp image.</returns>
    public static object? Of(object value)
    {
        switch (value)
        {
            case Image<Rgb24> image:
                return image.ToRgbImage();
            case Image<Rgba32> image:
                return image.ToRgbImage();
            case Image image:
                using (Image<Rgba32> copy = image.CloneAs<Rgba32>())
                    return copy.ToRgbImage();
            default:
                return null;
        }
    }
}
