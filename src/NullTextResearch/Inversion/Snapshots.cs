using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>The iterations after which an any-time method reports.</summary>
internal sealed class SnapshotPlan
{
    private readonly HashSet<int> _wanted;

    public SnapshotPlan(IReadOnlyList<int> iterations)
    {
        if (iterations.Count == 0)
            throw new ArgumentException("There are no iteration counts; give at least one.", nameof(iterations));
        if (iterations[0] < 0)
            throw new ArgumentException($"Iteration counts must be 0 or more, got {iterations[0]}.", nameof(iterations));
        for (int i = 1; i < iterations.Count; i++)
        {
            if (iterations[i] <= iterations[i - 1])
                throw new ArgumentException($"Iteration counts must increase, but {iterations[i]} follows {iterations[i - 1]}.", nameof(iterations));
        }
        _wanted = [.. iterations];
        Last = iterations[^1];
    }

    public int Last { get; }

    public bool Wants(int iterations) => _wanted.Contains(iterations);
}

/// <summary>Results not yet handed to the caller; disposes them if the run fails.</summary>
internal sealed class ResultList : IDisposable
{
    private List<InversionResult> _results = [];

    public void Add(InversionResult result) => _results.Add(result);

    public IReadOnlyList<InversionResult> Release()
    {
        List<InversionResult> released = _results;
        _results = [];
        return released;
    }

    public void Dispose()
    {
        foreach (InversionResult result in _results)
            result.Dispose();
    }
}

/// <summary>The loop of the inversions that may stop after any gradient step.</summary>
internal static class AnyTimeLoop
{
    /// <summary>Runs up to the last requested count and takes a result at each requested one.</summary>
    /// <param name="method">Name for progress.</param>
    /// <param name="plan">Requested counts of gradient steps; created before the caller's costly preparations, because it rejects bad counts.</param>
    /// <param name="update">Takes the gradient step with the given index, in its own dispose scope, and returns the mean loss over images.</param>
    /// <param name="result">The result if the run ended now; its tensors are copies.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked before each step.</param>
    /// <returns>One result per count, owned by the caller; all are disposed on an exception.</returns>
    public static IReadOnlyList<InversionResult> Run(
        string method,
        SnapshotPlan plan,
        Func<int, double> update,
        Func<InversionResult> result,
        IProgress<InversionProgress>? progress,
        CancellationToken cancellation
    )
    {
        using ResultList results = new();
        for (int done = 0; ; done++)
        {
            if (plan.Wants(done))
                results.Add(result());
            if (done == plan.Last)
                return results.Release();
            cancellation.ThrowIfCancellationRequested();
            double loss;
            using (DisposeScope scope = NewDisposeScope())
                loss = update(done);
            progress?.Report(new InversionProgress(method, done + 1, plan.Last, 0, loss));
        }
    }
}
