namespace NullTextResearch.Benchmarks;

/// <summary>What a run of a shard did.</summary>
/// <param name="Planned">Units of the shard.</param>
/// <param name="Found">Units that an earlier run had finished.</param>
/// <param name="Computed">Units edited by this run.</param>
/// <param name="Scored">Finished units that this run scored by further metrics, from their pictures.</param>
/// <param name="Refused">Units whose parts do not combine, among all planned ones.</param>
/// <param name="Failures">Units that this run could not finish, with their error records.</param>
public sealed record StudyOutcome(int Planned, int Found, int Computed, int Scored, int Refused, IReadOnlyList<UnitRecord> Failures);
