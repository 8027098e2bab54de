using NullTextResearch.Images;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>Images as double-precision planes, the common representation for all image metrics.</summary>
internal sealed record Planes(int Width, int Height, double[][] Values)
{
    /// <summary>Three planes of byte values, 0 to 255.</summary>
    internal static Planes Of(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        double[][] values = [.. Enumerable.Range(0, 3).Select(_ => new double[image.Width * image.Height])];
        for (int i = 0; i < image.Rgb.Length; i++)
        {
            values[i % 3][i / 3] = image.Rgb[i];
        }

        return new Planes(image.Width, image.Height, values);
    }

    /// <summary>The planes of each image of a batch [B, C, H, W]; values unchanged.</summary>
    internal static Planes[] Of(Tensor batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Shape.Require(batch, [-1, -1, -1, -1], "images");
        (int count, int channels, int height, int width) = ((int)batch.shape[0], (int)batch.shape[1], (int)batch.shape[2], (int)batch.shape[3]);
        double[] flat = Numbers(batch);
        int plane = width * height;
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(b => new Planes(
                    width,
                    height,
                    [.. Enumerable.Range(0, channels).Select(c => flat.AsSpan(((b * channels) + c) * plane, plane).ToArray())]
                )),
        ];
    }

    /// <summary>All elements in row-major order, as double.</summary>
    internal static double[] Numbers(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return tensor.detach().to(CPU).to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    /// <summary>Halves both sides by 2 x 2 means; an odd last row or column is dropped.</summary>
    internal Planes Half()
    {
        int width = Width / 2,
            height = Height / 2;
        return new Planes(
            width,
            height,
            [
                .. Values.Select(plane =>
                {
                    double[] half = new double[width * height];
                    for (int y = 0; y < height; y++)
                    {
                        for (int x = 0; x < width; x++)
                        {
                            int at = (2 * y * Width) + (2 * x);
                            half[(y * width) + x] = (plane[at] + plane[at + 1] + plane[at + Width] + plane[at + Width + 1]) / 4;
                        }
                    }

                    return half;
                }),
            ]
        );
    }

    /// <summary>Extends the planes on all sides by reflection at the outermost pixels, which are not repeated.</summary>
    internal Planes Reflected(int border)
    {
        int width = Width + (2 * border),
            height = Height + (2 * border);
        return new Planes(
            width,
            height,
            [
                .. Values.Select(plane =>
                {
                    double[] wide = new double[width * height];
                    for (int i = 0; i < wide.Length; i++)
                        wide[i] = plane[(Mirror((i / width) - border, Height) * Width) + Mirror((i % width) - border, Width)];
                    return wide;
                }),
            ]
        );

        static int Mirror(int i, int length) =>
            i < 0 ? -i
            : i < length ? i
            : (2 * length) - 2 - i;
    }

    internal static void RequireSame(Planes a, Planes b)
    {
        if (a.Width != b.Width || a.Height != b.Height || a.Values.Length != b.Values.Length)
        {
            throw new ArgumentException(
                $"images to compare need the same size, got {a.Width} x {a.Height} x {a.Values.Length} and {b.Width} x {b.Height} x {b.Values.Length}; prepare "
                    + "both the same way"
            );
        }
    }

    internal static double RequirePeak(double peak) =>
        peak > 0 && double.IsFinite(peak)
            ? peak
            : throw new ArgumentOutOfRangeException(
                nameof(peak),
                peak,
                "the peak is the width of the value range, above 0 (1 for [0, 1], 2 for [-1, 1], 255 for bytes)"
            );
}
