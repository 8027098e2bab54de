namespace NullTextResearch.Inversion;

/// <summary>Which prediction of the trained embedding moves the running latents to the next step.</summary>
public enum AdvanceMode
{
    /// <summary>Evaluates once more, with the step's final embedding; reuses the prediction for the other embedding.</summary>
    Reevaluate,

    /// <summary>
    /// Evaluates both embeddings again, in one call with the batch shape of a sampler, as the released code does. Gives the same numbers as
    /// <see cref="Reevaluate"/> up to rounding, for one more evaluation per step.
    /// </summary>
    ReevaluateBoth,

    /// <summary>
    /// Reuses the last inner prediction, made just before the last update: one evaluation fewer per step, but the running latents differ slightly from those
    /// that a sampler will see.
    /// </summary>
    ReuseLastInner,
}
