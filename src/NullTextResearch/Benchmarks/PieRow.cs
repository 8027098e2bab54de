namespace NullTextResearch.Benchmarks;

/// <summary>One combination of model, method, settings and editor on PIE-Bench, in the scale of the published tables.</summary>
public sealed class PieRow
{
    private readonly StudyRow[] _done;
    private readonly IReadOnlyList<double>?[] _values;

    internal PieRow(IReadOnlyList<StudyRow> units, IReadOnlyList<double>?[] values)
    {
        (Units, _values) = (units, values);
        _done = [.. units.Where(u => u.Status == UnitStatus.Done)];
    }

    /// <summary>All its units, in the order of the study.</summary>
    public IReadOnlyList<StudyRow> Units { get; }

    /// <summary>The first of them, for the names of model, method and editor.</summary>
    public StudyUnit First => Units[0].Unit;

    /// <summary>Number of its pictures that are edited and scored.</summary>
    public int Done => _done.Length;

    /// <summary>Number of its pictures with a result of some status.</summary>
    /// <param name="status">The status.</param>
    public int Count(UnitStatus status) => Units.Count(u => u.Status == status);

    /// <summary>The mean of a column over all pictures that have a value, with the number of them.</summary>
    /// <param name="column">Index into <see cref="PublishedResults.Columns"/>.</param>
    /// <returns>Null if the study does not have the column's metric, because its weights are not there.</returns>
    public KindScore? Mean(int column) =>
        _values[column] is { } values ? new KindScore("all", values.Count(v => !double.IsNaN(v)), Bootstrap.Mean(values)) : null;

    /// <summary>The same for every kind of edit, in the order in which the pictures first show them.</summary>
    /// <param name="column">Index into <see cref="PublishedResults.Columns"/>.</param>
    /// <returns>Null as for <see cref="Mean"/>.</returns>
    public IReadOnlyList<KindScore>? ByKind(int column) => _values[column] is { } values ? KindScore.Of([.. _done.Select(u => u.Unit.Task)], values) : null;
}
