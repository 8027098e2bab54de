namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="NonPivotalInversion"/>. The paper leaves all of them open.</summary>
public sealed record NonPivotalOptions : RandomTimestepOptions
{
    /// <summary>False optimises one embedding for all steps; true one per step, each by the draws nearest to it, with a start and moments of its own.</summary>
    public bool PerStep { get; init; }

    /// <summary>How the latents that are sampled from are found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();
}
