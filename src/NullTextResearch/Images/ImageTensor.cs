using System.Runtime.InteropServices;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Images;

/// <summary>Converts between image bytes and network tensors: the only place that knows both.</summary>
public static class ImageTensor
{
    /// <summary>Converts images to one batch: byte / 127.5 - 1.</summary>
    /// <param name="images">At least one image; all of the same size.</param>
    /// <param name="device">Device of the tensor; null means the CPU.</param>
    /// <param name="dtype">Floating-point type; float32 by default. It is also used for the arithmetic (half types use float32).</param>
    /// <returns>Pixels [B, 3, H, W] in [-1, 1], owned by the caller.</returns>
    /// <exception cref="ArgumentException">There is no image, the sizes differ, or the type is not a floating-point type.</exception>
    public static Tensor ToPixels(IReadOnlyList<RgbImage> images, Device? device = null, ScalarType dtype = ScalarType.Float32)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0)
        {
            throw new ArgumentException("at least one image is needed", nameof(images));
        }

        int width = images[0].Width,
            height = images[0].Height;
        if (images.FirstOrDefault(i => i.Width != width || i.Height != height) is { } odd)
        {
            throw new ArgumentException(
                $"all images of a batch need the same size, got {width} x {height} and {odd.Width} x {odd.Height}; prepare them first",
                nameof(images)
            );
        }

        if (dtype is not (ScalarType.Float32 or ScalarType.Float64 or ScalarType.Float16 or ScalarType.BFloat16))
        {
            throw new ArgumentException($"pixels must be of a floating-point type, got {dtype}", nameof(dtype));
        }

        int plane = width * height;
        using DisposeScope scope = NewDisposeScope();
        Tensor pixels =
            dtype == ScalarType.Float64 ? Fill(images, plane, dtype, b => (b / 127.5) - 1) : Fill(images, plane, ScalarType.Float32, b => (b / 127.5f) - 1f);
        pixels = pixels.view(images.Count, 3, height, width).to(dtype).to(device ?? CPU);
        return pixels.MoveToOuterDisposeScope();
    }

    /// <summary>Converts one image to a batch of one.</summary>
    /// <param name="image">The image.</param>
    /// <param name="device">Device of the tensor; null means the CPU.</param>
    /// <param name="dtype">Floating-point type; float32 by default.</param>
    /// <returns>Pixels [1, 3, H, W] in [-1, 1], owned by the caller.</returns>
    public static Tensor ToPixels(RgbImage image, Device? device = null, ScalarType dtype = ScalarType.Float32) => ToPixels([image], device, dtype);

    /// <summary>Converts a batch to images: clip(x / 2 + 0.5, 0, 1) x 255, truncated as in the released code.</summary>
    /// <param name="pixels">Pixels [B, 3, H, W], nominally in [-1, 1], any device and floating-point type; borrowed.</param>
    /// <returns>One image per batch row.</returns>
    /// <exception cref="ArgumentException">The shape or type is wrong, or a value is NaN.</exception>
    public static RgbImage[] ToImages(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        long[] shape = pixels.shape;
        if (shape.Length != 4 || shape[1] != 3 || shape[0] < 1 || shape[2] < 1 || shape[3] < 1 || !pixels.is_floating_point())
        {
            throw new ArgumentException($"expected floating-point pixels [B, 3, H, W], got {pixels.dtype} [{string.Join(", ", shape)}]", nameof(pixels));
        }

        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        bool isDouble = pixels.dtype == ScalarType.Float64;

        // Half types cannot represent all byte values here: widen first, as the released code does before it quantises.
        Tensor wide = pixels.detach().to(CPU).to(isDouble ? ScalarType.Float64 : ScalarType.Float32);
        if (wide.isnan().any().item<bool>())
        {
            throw new ArgumentException("the pixels contain NaN: the computation that produced them failed", nameof(pixels));
        }

        Tensor bytes = wide.Over(2).Plus(0.5).Clamped(0, 1).Times(255).to(ScalarType.Byte).permute(0, 2, 3, 1).contiguous();
        ReadOnlySpan<byte> all = bytes.bytes;
        int size = checked((int)(shape[2] * shape[3] * 3));
        RgbImage[] images = new RgbImage[shape[0]];
        for (int i = 0; i < images.Length; i++)
        {
            images[i] = RgbImage.FromRgb(all.Slice(i * size, size), (int)shape[3], (int)shape[2]);
        }

        return images;
    }

    private static Tensor Fill<T>(IReadOnlyList<RgbImage> images, int plane, ScalarType dtype, Func<int, T> value)
        where T : unmanaged
    {
        Tensor pixels = empty(images.Count * 3L * plane, dtype: dtype, device: CPU);
        Span<T> values = MemoryMarshal.Cast<byte, T>(pixels.bytes);
        T[] table = [.. Enumerable.Range(0, 256).Select(value)];
        for (int i = 0; i < images.Count; i++)
        {
            byte[] rgb = images[i].Rgb;
            for (int p = 0, from = 0; p < plane; p++)
            {
                for (int channel = 0; channel < 3; channel++)
                {
                    values[(((i * 3) + channel) * plane) + p] = table[rgb[from++]];
                }
            }
        }

        return pixels;
    }
}
