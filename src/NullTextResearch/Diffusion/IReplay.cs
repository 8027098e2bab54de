using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>
/// A sampling rule from noise back to the image: how a sampler moves from one noise level to the next, and the tensors needed for it. Owns those tensors.
/// </summary>
/// <remarks>Rows of a batch are images or edited versions of them, as the layout says; tensors of a replay have one row per image.</remarks>
public interface IReplay : IDisposable
{
    /// <summary>The data to store in order to rebuild it.</summary>
    ReplayData Data { get; }

    /// <summary>First step to run; later than 0 if sampling starts from a level below the noisiest.</summary>
    int FirstStep => 0;

    /// <summary>Guidance scale w of source rows; null to use that of all other rows.</summary>
    double? SourceGuidance => null;

    /// <summary>The state before the first step.</summary>
    /// <param name="latents">[rows, 4, H, W]; borrowed.</param>
    /// <param name="rows">What the rows are.</param>
    /// <returns>A state in the caller's dispose scope; none of its tensors is the input itself.</returns>
    LatentState Start(Tensor latents, BatchLayout rows) => new(latents.alias());

    /// <summary>
    /// Combines the two predictions of classifier-free guidance (default: <see cref="Guidance.Combine(Tensor, Tensor, double)"/> row by row). Called within
    /// <see cref="Move"/> whenever it requests noise, but not at guidance 1, where there is no unconditional prediction.
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
