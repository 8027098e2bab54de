namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="NonPivotalInversion"/>. The paper specifies none of them.</summary>
public sealed record NonPivotalOptions : RandomTimestepOptions
{
    /// <summary>
    /// False optimises one embedding for all steps; true one per step, each with its own start and moments, from the draws nearest to that step.
    /// </summary>
    public bool PerStep { get; init; }

    /// <summary>How the start latents are found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();
}
