using System.Runtime.InteropServices;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Images;

/// <summary>Between bytes and the tensors that the networks see: the only place that knows both.</summary>
public static class ImageTensor
{
    /// <summary>Images as one batch: byte / 127.5 - 1.</summary>
    /// <param name="images">At least one image; all of one size.</param>
    /// <param name="device">Where the tensor goes; the CPU if null.</param>
    /// <param name="dtype">Floating-point type; float32 if not given. The arithmetic is done in it (half types: in float32).</param>
    /// <returns>Pixels [B, 3, H, W] in [-1, 1], owned by the caller.</returns>
    /// <exception cref="ArgumentException">No image, different sizes, or a type that is no floating-point type.</exception>
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
                $"all images of a batch need one size, got {width} x {height} and {odd.Width} x {odd.Height}; prepare them first",
                nameof(images)
            );
        }

        if (dtype is not (ScalarType.Float32 or ScalarType.Float64 or ScalarType.Float16 or ScalarType.BFloat16))
        {
            throw new ArgumentException($"pixels are floating-point numbers, got {dtype}", nameof(dtype));
        }

        int plane = width * height;
        using DisposeScope scope = NewDisposeScope();
        Tensor pixels =
            dtype == ScalarType.Float64 ? Fill(images, plane, dtype, b => (b / 127.5) - 1) : Fill(images, plane, ScalarType.Float32, b => (b / 127.5f) - 1f);
        pixels = pixels.view(images.Count, 3, height, width).to(dtype).to(device ?? CPU);
        return pixels.MoveToOuterDisposeScope();
    }

    /// <summary>One image as a batch of one.</summary>
    /// <param name="image">The image.</param>
    /// <param name="device">Where the tensor goes; the CPU if null.</param>
    /// <param name="dtype">Floating-point type; float32 if not given.</param>
    /// <returns>Pixels [1, 3, H, W] in [-1, 1], owned by the caller.</returns>
    public static Tensor ToPixels(RgbImage image, Device? device = null, ScalarType dtype = ScalarType.Float32) => ToPixels([image], device, dtype);

    /// <summary>A batch as images: clip(x / 2 + 0.5, 0, 1) x 255, truncated as the released code does.</summary>
    /// <param name="pixels">Pixels [B, 3, H, W], nominally in [-1, 1], any device and floating-point type; borrowed.</param>
    /// <returns>One image per batch row.</returns>
    /// <exception cref="ArgumentException">Another shape or type, or a value that is not a number.</exception>
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

        // Half types would lose the last byte values: widen first, as the released code does before it quantises.
        Tensor wide = pixels.detach().to(CPU).to(isDouble ? ScalarType.Float64 : ScalarType.Float32);
        if (wide.isnan().any().item<bool>())
        {
            throw new ArgumentException("pixels hold values that are not numbers: the computation before broke down", nameof(pixels));
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
