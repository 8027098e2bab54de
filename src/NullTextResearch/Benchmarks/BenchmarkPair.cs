namespace NullTextResearch.Benchmarks;

/// <summary>An inversion method with an editor, and its results on all tasks of a benchmark.</summary>
/// <param name="Method">The method, with @path unless that is its own.</param>
/// <param name="Editor">Id of the editor.</param>
/// <param name="Records">One per task: done, refused or failed; null where nothing was computed yet.</param>
public sealed record BenchmarkPair(string Method, string Editor, IReadOnlyList<UnitRecord?> Records)
{
    /// <summary>Name in tables.</summary>
    public string Name => $"{Method} + {Editor}";

    /// <summary>Number of tasks with a status.</summary>
    /// <param name="status">Which; <see cref="UnitStatus.Missing"/> for those that were not computed.</param>
    public int Count(UnitStatus status) => Records.Count(r => (r?.Status ?? UnitStatus.Missing) == status);

    /// <summary>The result of a task that is done; null for any other.</summary>
    /// <param name="task">Its index.</param>
    public UnitRecord? Done(int task) => Records[task] is { Status: UnitStatus.Done } record ? record : null;
}
