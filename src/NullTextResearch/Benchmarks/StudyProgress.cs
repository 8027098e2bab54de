using System.Globalization;

namespace NullTextResearch.Benchmarks;

/// <summary>A finished unit of a running study.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Record">Its record.</param>
/// <param name="Finished">Units of the shard that are finished, this one included.</param>
/// <param name="Planned">Units of the shard.</param>
public sealed record StudyProgress(StudyUnit Unit, UnitRecord Record, int Finished, int Planned) : WorkProgress("study")
{
    /// <inheritdoc/>
    public override double Done => Finished;

    /// <inheritdoc/>
    public override double Total => Planned;

    /// <inheritdoc/>
    public override string Where => string.Create(CultureInfo.InvariantCulture, $"unit {Finished} of {Planned}");
}
