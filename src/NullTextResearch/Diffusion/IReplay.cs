using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// A way back from noise to image: the rule by which a sampler moves from one noise level to the next, and the tensors that the rule needs. Owns
/// those tensors.
/// </summary>
/// <remarks>Rows of a batch are images or edited versions of them, as the layout says; tensors of a replay have one row per image.</remarks>
public interface IReplay : IDisposable
{
    /// <summary>What has to be kept to make it again.</summary>
    ReplayData Data { get; }

    /// <summary>First step to run; later than 0 where sampling starts from a level below the noisiest.</summary>
    int FirstStep => 0;

    /// <summary>Classifier-free guidance of source rows; null where they take that of all others.</summary>
    double? SourceGuidance => null;

    /// <summary>The state before the first step.</summary>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <param name="rows">What the rows are.</param>
    /// <returns>A state in the caller's dispose scope, none of whose tensors is the input itself.</returns>
    LatentState Start(Tensor latents, BatchLayout rows) => new(latents.alias());

    /// <summary>
    /// Joins the two predictions of classifier-free guidance (default: <see cref="Guidance.Combine(Tensor, Tensor, double)"/> row by row). Called
    /// within <see cref="Move"/>, whenever that asks for noise; not at guidance 1, where there is no unconditional prediction.
    /// </summary>
    /// <param name="unconditional">[rows, 4, H, W]; borrowed.</param>
    /// <param name="conditional">[rows, 4, H, W]; borrowed.</param>
    /// <param name="guidanceScales">w of each row.</param>
    /// <param name="step">The step.</param>
    /// <param name="rows">What the rows are.</param>
    /// <returns>Guided noise prediction; owned by the caller's dispose scope.</returns>
    Tensor Guide(Tensor unconditional, Tensor conditional, IReadOnlyList<double> guidanceScales, DiffusionStep step, BatchLayout rows) =>
        Guidance.Combine(unconditional, conditional, guidanceScales);

    /// <summary>One step towards the image.</summary>
    /// <param name="state">Before the step; borrowed.</param>
    /// <param name="step">The step.</param>
    /// <param name="noise">Guided noise prediction for latents at this step, [rows, 4, H, W]; may be called more than once.</param>
    /// <param name="rows">What the rows are.</param>
    /// <returns>After the step; in the caller's dispose scope.</returns>
    LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows);
}
