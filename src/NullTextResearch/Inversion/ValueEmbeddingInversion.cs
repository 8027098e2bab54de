namespace NullTextResearch.Inversion;

/// <summary>
/// As <see cref="TextualInversionWithPivot"/>, but only the text embedding behind the values of cross-attention is optimised, one per step and image. The keys
/// stay those of the prompt. After Li et al. 2023, "StyleDiffusion: Prompt-Embedding Inversion for Text-Based Editing", which predicts that embedding from the
/// image with a small network that is trained per image and adds a loss on the attention maps; here the embedding itself is optimised, and no map enters the
/// loss.
/// </summary>
/// <param name="options">Options; null for those of null-text inversion.</param>
public sealed class ValueEmbeddingInversion(NullTextOptions? options = null) : IInversion
{
    /// <inheritdoc/>
    public string Name => "value embeddings with a pivot";

    /// <inheritdoc/>
    public object Options => options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
        PivotalOptimisation.Invert(Name, problem, options ?? NullTextOptions.Default, Trained.ConditionalValues, progress, cancellation);
}
