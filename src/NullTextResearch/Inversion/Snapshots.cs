namespace NullTextResearch.Inversion;

/// <summary>After which iterations an any-time method reports.</summary>
internal sealed class SnapshotPlan
{
    private readonly HashSet<int> _wanted;

    public SnapshotPlan(IReadOnlyList<int> iterations)
    {
        if (iterations.Count == 0) throw new ArgumentException("Name at least one iteration count.", nameof(iterations));
        if (iterations[0] < 0) throw new ArgumentException($"Iteration counts must be 0 or more, got {iterations[0]}.", nameof(iterations));
        for (int i = 1; i < iterations.Count; i++)
        {
            if (iterations[i] <= iterations[i - 1]) throw new ArgumentException($"Iteration counts must rise, but {iterations[i]} follows {iterations[i - 1]}.", nameof(iterations));
        }
        _wanted = [.. iterations];
        Last = iterations[^1];
    }

    public int Last { get; }

    public bool Wants(int iterations) => _wanted.Contains(iterations);
}

/// <summary>Results on their way to the caller; disposes them if the way is cut short.</summary>
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
        foreach (InversionResult result in _results) result.Dispose();
    }
}
