using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;

namespace NullTextResearch.Inversion;

/// <summary>
/// Null-text inversion with the captions of other images in inversion, optimisation and sampling. Mokady et al., section 4. The caller chooses the captions;
/// the paper draws them from its data set.
/// </summary>
/// <param name="captions">The other captions, B rows; borrowed for the lifetime of this object.</param>
/// <param name="options">Options; null for those of null-text inversion.</param>
public sealed class RandomCaptionInversion(Conditioning captions, NullTextOptions? options = null) : IInversion
{
    /// <inheritdoc/>
    public string Name => "random caption";

    /// <inheritdoc/>
    public object Options => options ?? NullTextOptions.Default;

    /// <inheritdoc/>
    /// <exception cref="ShapeMismatchException">The number of captions is not the number of images.</exception>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        Conditioning.RequireSame(captions, problem.Conditional);
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
