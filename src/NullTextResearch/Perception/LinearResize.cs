using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>Bilinear resizing of floating-point pixels, equivalent to that of the library in the original code.</summary>
internal static class LinearResize
{
    /// <summary>Resizes images.</summary>
    /// <param name="images">[..., H, W], floating-point; borrowed.</param>
    /// <param name="height">New height.</param>
    /// <param name="width">New width.</param>
    /// <param name="antialias">Widens the filter when shrinking, so that every pixel contributes; otherwise two pixels per axis are read.</param>
    /// <returns>[..., height, width]; owned by the caller's dispose scope.</returns>
    public static Tensor Of(Tensor images, int height, int width, bool antialias) =>
        Lifetime.Scoped(() =>
        {
            Tensor rows = Matrix((int)images.shape[^2], height, antialias).to(images.dtype, images.device),
                columns = Matrix((int)images.shape[^1], width, antialias).to(images.dtype, images.device);
            return rows.matmul(images).matmul(columns.transpose(0, 1));
        });

    /// <summary>Weight of each source pixel in each target pixel, [to, from], in double precision.</summary>
    private static Tensor Matrix(int from, int to, bool antialias)
    {
        double scale = (double)from / to;
        double[] weights = new double[(long)to * from];
        for (int i = 0; i < to; i++)
        {
            Span<double> row = weights.AsSpan(i * from, from);
            if (antialias)
                Wide(row, (i + 0.5) * scale, Math.Max(scale, 1));
            else
                Narrow(row, Math.Max(0, ((i + 0.5) * scale) - 0.5));
        }
        return tensor(weights, [to, from]);
    }

    private static void Narrow(Span<double> row, double at)
    {
        int first = Math.Min((int)at, row.Length - 1),
            second = Math.Min(first + 1, row.Length - 1);
        row[first] += 1 - (at - first);
        row[second] += at - first;
    }

    private static void Wide(Span<double> row, double centre, double reach)
    {
        int first = Math.Max(0, (int)(centre - reach + 0.5)),
            end = Math.Min(row.Length, (int)(centre + reach + 0.5));
        double sum = 0;
        for (int k = first; k < end; k++)
            sum += row[k] = Math.Max(0, 1 - Math.Abs((k + 0.5 - centre) / reach));
        for (int k = first; k < end; k++)
            row[k] /= sum;
    }
}
