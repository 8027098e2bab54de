namespace NullTextResearch.Inversion;

/// <summary>Which prediction of the trained embedding moves the running latents to the next step.</summary>
public enum AdvanceMode
{
    /// <summary>One further evaluation with the final embedding of the step; the other embedding's prediction is still known.</summary>
    Reevaluate,

    /// <summary>
    /// Both predictions once more, in one call of the shape that a sampler makes. The released code: the same numbers as
    /// <see cref="Reevaluate"/> up to rounding, for one evaluation more per step.
    /// </summary>
    ReevaluateBoth,

    /// <summary>
    /// The last inner prediction again, made just before the last update: one evaluation less per step, and running latents
    /// that differ a little from what a sampler will see.
    /// </summary>
    ReuseLastInner,
}
