using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Null-text inversion with the captions of other images in inversion, optimisation and sampling. Mokady et al., section 4.
/// Which captions is the caller's choice: the paper draws them from its data set.
/// </summary>
/// <param name="captions">Embeddings of the other captions, [B, tokens, d]; borrowed for the life of this object.</param>
/// <param name="options">Options; null means those of null-text inversion.</param>
public sealed class RandomCaptionInversion(Tensor captions, NullTextOptions? options = null) : IInversion
{
    /// <inheritdoc/>
    public string Name => "random caption";

    /// <inheritdoc/>
    public object Options => options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    /// <exception cref="ShapeMismatchException">There is not one caption per image.</exception>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        Shape.RequireSame(captions, problem.Conditional);
        return PivotalOptimisation.Invert(
            Name,
            problem with
            {
                Conditional = captions,
            },
            options ?? NullTextOptions.Default,
            Trained.Unconditional,
            progress,
            cancellation
        );
    }
}
