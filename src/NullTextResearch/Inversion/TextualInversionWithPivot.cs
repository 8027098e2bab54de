namespace NullTextResearch.Inversion;

/// <summary>
/// Algorithm 1 with the roles swapped: the unconditional embedding stays fixed and the prompt's embedding is optimised, one per step and image, starting from
/// the previous step. Mokady et al., Fig. 15; the paper does not say whether it used one per step.
/// </summary>
/// <param name="options">Options; null for those of null-text inversion.</param>
public sealed class TextualInversionWithPivot(NullTextOptions? options = null) : IInversion
{
    /// <inheritdoc/>
    public string Name => "textual inversion with a pivot";

    /// <inheritdoc/>
    public object Options => options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
        PivotalOptimisation.Invert(Name, problem, options ?? NullTextOptions.Default, Trained.Conditional, progress, cancellation);
}
