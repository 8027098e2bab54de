using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;

namespace NullTextResearch.ImageSharp;

/// <summary>A cell that ends with a picture of ImageSharp shows it as one of the library's.</summary>
public static class ImageSharpViews
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "A cell that never names this package must show its pictures too.")]
    internal static void Register() => Notebook.ShowInstead(Of);

    /// <summary>The image that shows a picture, in whatever pixel format.</summary>
    /// <param name="value">Any value.</param>
    /// <returns>An <see cref="RgbImage"/>, transparency blended onto white; null where the value is no picture of ImageSharp.</returns>
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
