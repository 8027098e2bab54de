using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>
/// Numbers of variance 1 that look random and are bit-identical wherever arithmetic is IEEE, so that two programs can build the same network without
/// a file.
/// </summary>
internal static class FormulaNumbers
{
    private const int Period = 65521;

    /// <summary>The fractional parts of j^2 / golden ratio, starting at <paramref name="offset"/>; float32, on the CPU.</summary>
    public static Tensor Of(long[] shape, long offset)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor j = arange(Period, ScalarType.Float64);
        Tensor t = j.mul(j).mul(0.6180339887498949);
        Tensor table = t.sub(t.floor()).sub(0.5).mul(Math.Sqrt(12)).to(ScalarType.Float32);
        long count = shape.Aggregate(1L, (a, b) => a * b),
            start = offset % Period;
        return table.repeat([((start + count) / Period) + 1]).narrow(0, start, count).reshape(shape).clone().MoveToOuterDisposeScope();
    }

    /// <summary>Fills every weight: the i-th weight in key order starts at number 7919 i.</summary>
    public static void Fill(WeightSet weights, Device device)
    {
        Dictionary<string, long> places = weights
            .All.Select(w => w.Key)
            .Order(StringComparer.Ordinal)
            .Select((key, i) => (key, i))
            .ToDictionary(p => p.key, p => 7919L * p.i);
        weights.Fill(weight =>
        {
            using DisposeScope scope = NewDisposeScope();
            long[] shape = [.. weight.Dimensions];
            Tensor numbers = Of(shape, places[weight.Key]);
            Tensor value =
                shape.Length > 1 ? numbers.div(Math.Sqrt(weight.Count / shape[0]))
                : weight.Init == WeightInit.Ones ? numbers.mul(0.1).add(1)
                : numbers.mul(0.1);
            return value.to(device).MoveToOuterDisposeScope();
        });
    }
}
