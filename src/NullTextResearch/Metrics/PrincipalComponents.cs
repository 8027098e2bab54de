using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Metrics;

/// <summary>
/// The directions in which features vary most over the pixels of one or several maps, and each pixel's coordinates along them: what Tumanyan et al. 2023
/// (plug-and-play, Fig. 3) show as colours.
/// </summary>
public static class PrincipalComponents
{
    /// <summary>Computes them jointly for all maps, so that one colour means the same in each.</summary>
    /// <param name="maps">At least one, each [channels, height, width] with the same channels; borrowed.</param>
    /// <param name="count">How many components, 1 to the number of channels.</param>
    /// <returns>
    /// For each map its coordinates, [count][height * width], the component of largest variance first; and each component's share of the variance, 0..1. The
    /// sign of a component, which is arbitrary, is such that its largest coefficient is positive.
    /// </returns>
    /// <exception cref="ArgumentException">There is no map, or the channels differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are not that many components.</exception>
    public static (IReadOnlyList<double[][]> Coordinates, double[] Shares) Of(IReadOnlyList<Tensor> maps, int count = 3)
    {
        ArgumentNullException.ThrowIfNull(maps);
        if (maps.Count == 0)
            throw new ArgumentException("There is no map.", nameof(maps));
        long channels = maps[0].shape[0];
        foreach (Tensor map in maps)
            Shape.Require(map, [channels, -1, -1]);
        if (count < 1 || count > channels)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"{channels} channels have 1 to {channels} components.");
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor rows = cat([.. maps.Select(m => m.detach().to(CPU).to(ScalarType.Float64).flatten(1).t())], 0);
        Tensor centred = rows.sub(rows.mean([0], keepdim: true));
        (Tensor variances, Tensor directions) = linalg.eigh(centred.t().matmul(centred).Over(Math.Max(1, rows.shape[0])));
        // Eigenvalues come in ascending order.
        Tensor largest = directions.flip([1]).narrow(1, 0, count);
        Tensor peaks = largest.gather(0, largest.abs().argmax(0, keepdim: true)).sign();
        Tensor coordinates = centred.matmul(largest.mul(peaks));
        double total = variances.sum().item<double>();
        double[] shares = [.. variances.flip([0]).narrow(0, 0, count).contiguous().data<double>().Select(v => total > 0 ? Math.Max(0, v) / total : 0)];
        List<double[][]> all = [];
        long first = 0;
        foreach (Tensor map in maps)
        {
            long pixels = map.shape[1] * map.shape[2];
            Tensor own = coordinates.narrow(0, first, pixels).t().contiguous();
            all.Add([.. Enumerable.Range(0, count).Select(c => own[c].data<double>().ToArray())]);
            first += pixels;
        }

        return (all, shares);
    }

    /// <summary>Three components as red, green and blue, each scaled from its smallest to its largest value over all maps.</summary>
    /// <param name="coordinates">Three components per map.</param>
    /// <returns>For each map its pixels, 3 bytes each, row by row; grey where nothing varies.</returns>
    public static IReadOnlyList<byte[]> Colours(IReadOnlyList<double[][]> coordinates)
    {
        ArgumentNullException.ThrowIfNull(coordinates);
        (double Low, double High)[] ranges = [.. Enumerable.Range(0, 3).Select(c => (coordinates.Min(m => m[c].Min()), coordinates.Max(m => m[c].Max())))];
        byte Byte(double value, (double Low, double High) range) =>
            range.High - range.Low > 1e-12 ? (byte)Math.Round(255 * (value - range.Low) / (range.High - range.Low)) : (byte)128;
        return
        [
            .. coordinates.Select(map =>
                Enumerable.Range(0, map[0].Length).SelectMany(p => Enumerable.Range(0, 3).Select(c => Byte(map[c][p], ranges[c]))).ToArray()
            ),
        ];
    }
}
