using System.Runtime.InteropServices;
using NullTextResearch.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using TorchSharp;

namespace NullTextResearch.ImageSharp;

/// <summary>Converts between images of ImageSharp and images of the library: bytes are copied, never changed.</summary>
public static class ImageSharpConversion
{
    /// <summary>Copies an image out of ImageSharp; of an animation, the first frame.</summary>
    /// <param name="image">The picture; borrowed.</param>
    /// <returns>The same bytes.</returns>
    public static RgbImage ToRgbImage(this Image<Rgb24> image)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] rgb = new byte[checked(image.Width * image.Height * 3)];
        image.ProcessPixelRows(rows =>
        {
            for (int y = 0; y < rows.Height; y++)
                MemoryMarshal.AsBytes(rows.GetRowSpan(y)).CopyTo(rgb.AsSpan(y * rows.Width * 3));
        });
        return new RgbImage(image.Width, image.Height, rgb);
    }

    /// <summary>Copies an image with transparency out of ImageSharp; of an animation, the first frame.</summary>
    /// <param name="image">The image; borrowed. Its colours are not premultiplied by alpha, as is usual in ImageSharp.</param>
    /// <param name="alpha">How transparency is handled; by default it is blended onto white, as in <see cref="ImageFile"/>.</param>
    /// <returns>The image without alpha.</returns>
    public static RgbImage ToRgbImage(this Image<Rgba32> image, AlphaHandling alpha = AlphaHandling.OnWhite)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] rgb = new byte[checked(image.Width * image.Height * 3)];
        image.ProcessPixelRows(rows =>
        {
            for (int y = 0, to = 0; y < rows.Height; y++)
            {
                ReadOnlySpan<byte> rgba = MemoryMarshal.AsBytes(rows.GetRowSpan(y));
                for (int from = 0; from < rgba.Length; from += 4, to += 3)
                    alpha.Blend(rgba.Slice(from, 4), rgb.AsSpan(to, 3));
            }
        });
        return new RgbImage(image.Width, image.Height, rgb);
    }

    /// <summary>Copies an image into ImageSharp.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The same bytes; owned by the caller, who disposes it.</returns>
    public static Image<Rgb24> ToImageSharp(this RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Image.LoadPixelData<Rgb24>(image.Rgb, image.Width, image.Height);
    }

    /// <summary>Copies an image into ImageSharp, in a pixel format with an alpha channel.</summary>
    /// <param name="image">The image.</param>
    /// <returns>The same colours, opaque; owned by the caller, who disposes it.</returns>
    public static Image<Rgba32> ToImageSharpRgba(this RgbImage image)
    {
        using Image<Rgb24> opaque = ToImageSharp(image);
        return opaque.CloneAs<Rgba32>();
    }

    /// <summary>An image as a batch of one, as the networks expect it: byte / 127.5 - 1.</summary>
    /// <param name="image">The picture; borrowed.</param>
    /// <param name="device">Where the tensor goes; the CPU if null.</param>
    /// <param name="dtype">Floating-point type; float32 if not given.</param>
    /// <returns>Pixels [1, 3, H, W] in [-1, 1], owned by the caller.</returns>
    public static torch.Tensor ToPixels(this Image<Rgb24> image, torch.Device? device = null, torch.ScalarType dtype = torch.ScalarType.Float32) =>
        ImageTensor.ToPixels(image.ToRgbImage(), device, dtype);

    /// <summary>An image with transparency as a batch of one, as the networks expect it: byte / 127.5 - 1.</summary>
    /// <param name="image">The picture; borrowed.</param>
    /// <param name="alpha">How transparency is handled; by default it is blended onto white.</param>
    /// <param name="device">Where the tensor goes; the CPU if null.</param>
    /// <param name="dtype">Floating-point type; float32 if not given.</param>
    /// <returns>Pixels [1, 3, H, W] in [-1, 1], owned by the caller.</returns>
    public static torch.Tensor ToPixels(
        this Image<Rgba32> image,
        AlphaHandling alpha = AlphaHandling.OnWhite,
        torch.Device? device = null,
        torch.ScalarType dtype = torch.ScalarType.Float32
    ) => ImageTensor.ToPixels(image.ToRgbImage(alpha), device, dtype);

    /// <summary>A batch of pixels as images: clip(x / 2 + 0.5, 0, 1) x 255, truncated, as in <see cref="ImageTensor.ToImages"/>.</summary>
    /// <param name="pixels">Pixels [B, 3, H, W], nominally in [-1, 1], any device and floating-point type; borrowed.</param>
    /// <returns>One image per batch row; owned by the caller, who disposes them.</returns>
    /// <exception cref="ArgumentException">The shape or type is wrong, or a value is not a number.</exception>
    public static Image<Rgb24>[] ToImageSharp(this torch.Tensor pixels) => [.. ImageTensor.ToImages(pixels).Select(ToImageSharp)];
}
