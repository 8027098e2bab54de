using NullTextResearch.Planning;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>The best that this machine reaches: the shortest time of every distinct operation, and the highest rate of every kind.</summary>
internal sealed class Ceilings
{
    private readonly Dictionary<OperationShape, double> _seconds;
    private readonly double _square;

    private Ceilings(Dictionary<OperationShape, double> seconds, double square) => (_seconds, _square) = (seconds, square);

    public static Ceilings Measure(OperationTimer timer, IReadOnlyList<NetworkOperation> operations, ScalarType dtype)
    {
        const long Side = 4096;
        double square = timer.BestSquare(Side, dtype);
        return new Ceilings(operations.Select(o => o.Shape).Distinct().ToDictionary(s => s, s => timer.Best(s, dtype)), 2.0 * Side * Side * Side / square);
    }

    /// <summary>The better of two measurements, operation by operation.</summary>
    public Ceilings Better(Ceilings other) =>
        new(_seconds.ToDictionary(s => s.Key, s => Math.Min(s.Value, other._seconds[s.Key])), Math.Max(_square, other._square));

    /// <summary>Seconds of an operation run alone.</summary>
    public double Alone(OperationShape shape) => _seconds[shape];

    /// <summary>FLOPs per second.</summary>
    public double Rate(WorkKind kind)
    {
        double best = _seconds.Where(s => s.Key.Kind == kind).Max(s => s.Key.Flops / s.Value);
        return kind == WorkKind.Linear ? Math.Max(best, _square) : best;
    }
}

/// <summary>FLOPs by kind, and the operations they come from.</summary>
internal sealed record Work(IReadOnlyDictionary<WorkKind, double> ByKind, IReadOnlyDictionary<OperationShape, double> Forwards)
{
    public double Flops => ByKind.Values.Sum();

    public static Work Forward(IEnumerable<NetworkOperation> operations) => Of(operations, o => o.Shape.Flops);

    public static Work Backward(IEnumerable<NetworkOperation> operations) => Of(operations, o => o.BackwardFlops);

    public Work Plus(Work other) => new(Sum(ByKind, other.ByKind), Sum(Forwards, other.Forwards));

    public Work Times(double factor) => new(ByKind.ToDictionary(k => k.Key, k => factor * k.Value), Forwards.ToDictionary(k => k.Key, k => factor * k.Value));

    /// <summary>Seconds at the ceilings.</summary>
    /// <param name="ceilings">The ceilings of this machine.</param>
    /// <param name="attentionAsProducts">Whether attention is compared with the ceiling of matrix products instead of its own.</param>
    public double Limit(Ceilings ceilings, bool attentionAsProducts) =>
        ByKind.Sum(k => k.Value / ceilings.Rate(attentionAsProducts && k.Key is (WorkKind.SelfAttention or WorkKind.CrossAttention) ? WorkKind.Linear : k.Key));

    /// <summary>Seconds if each FLOP ran at the forward rate of its own operation alone.</summary>
    public double Alone(Ceilings ceilings) => Forwards.Sum(f => f.Value * ceilings.Alone(f.Key));

    private static Work Of(IEnumerable<NetworkOperation> operations, Func<NetworkOperation, double> flops)
    {
        NetworkOperation[] all = [.. operations];
        return new(
            all.GroupBy(o => o.Shape.Kind).ToDictionary(g => g.Key, g => g.Sum(flops)),
            all.GroupBy(o => o.Shape).ToDictionary(g => g.Key, g => g.Sum(flops) / g.Key.Flops)
        );
    }

    private static Dictionary<TKey, double> Sum<TKey>(IReadOnlyDictionary<TKey, double> a, IReadOnlyDictionary<TKey, double> b)
        where TKey : notnull => a.Concat(b).GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Sum(p => p.Value));
}
