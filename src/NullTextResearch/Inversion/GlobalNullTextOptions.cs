namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="GlobalNullTextInversion"/>. The paper gives neither optimiser nor rate of this variant.</summary>
public sealed record GlobalNullTextOptions : AnyTimeOptions
{
    /// <summary>True forgets Adam's moments at every gradient step, which makes it move each entry by the rate in the direction of the sign.</summary>
    public bool FreshAdam { get; init; }

    /// <summary>How the running latents advance; both ways to re-evaluate are the same here.</summary>
    public AdvanceMode Advance { get; init; } = AdvanceMode.Reevaluate;

    /// <summary>How the pivot is found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();
}
