namespace NullTextResearch.Inversion;

/// <summary>Options shared by the inversions that optimise with a constant learning rate and may stop after any gradient step.</summary>
public abstract record AnyTimeOptions
{
    /// <summary>N: a whole inversion takes N T gradient steps, as many as null-text inversion with N inner steps.</summary>
    public int InnerSteps { get; init; } = 10;

    /// <summary>Adam's learning rate, constant.</summary>
    public double LearningRate { get; init; } = 1e-2;

    /// <summary>Moment decays.</summary>
    public AdamOptions Adam { get; init; } = new();

    internal void Validate() => OptionProblems.ThrowIfAny(GetType().Name, Problems());

    private protected virtual IEnumerable<string> Problems()
    {
        if (InnerSteps < 0)
            yield return $"InnerSteps is {InnerSteps}; it must be 0 or more.";
        if (!(LearningRate > 0) || !double.IsFinite(LearningRate))
            yield return FormattableString.Invariant($"LearningRate is {LearningRate}; it must be positive.");
        foreach (string problem in Adam.Problems())
            yield return problem;
    }
}
