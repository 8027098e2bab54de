namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="GlobalNullTextInversion"/>. The paper specifies neither the optimiser nor the learning rate of this variant.</summary>
public sealed record GlobalNullTextOptions : AnyTimeOptions
{
    /// <summary>
    /// True resets Adam's moments at every gradient step, so that each entry moves by the learning rate and only the sign of its gradient counts.
    /// </summary>
    public bool FreshAdam { get; init; }

    /// <summary>How the running latents advance; the two re-evaluating modes are equivalent here.</summary>
    public AdvanceMode Advance { get; init; } = AdvanceMode.Reevaluate;

    /// <summary>How the pivot is found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();
}
