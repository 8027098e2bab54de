using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Everything that a pivotal optimisation needs to resume after an interruption; passed to a callback after each step. Tensors are borrowed: copy or save them
/// before the callback returns.
/// </summary>
public sealed record NullTextState
{
    /// <summary>Steps that are finished.</summary>
    public int StepsDone => Embeddings.Count;

    /// <summary>Optimised embedding of each finished step, noisiest first, [B, tokens, d] each.</summary>
    public required IReadOnlyList<Tensor> Embeddings { get; init; }

    /// <summary>Running latents after those steps, [B, 4, H, W].</summary>
    public required Tensor Latents { get; init; }

    /// <summary>The pivot; borrowed both by the callback and when resuming.</summary>
    public required PivotTrajectory Pivot { get; init; }

    /// <summary>Per image, per finished step: what the optimisation did.</summary>
    public required IReadOnlyList<IReadOnlyList<StepOptimisation>> Optimisation { get; init; }

    /// <summary>Network evaluations so far, all images together.</summary>
    public long Forwards { get; init; }

    /// <summary>Backward passes so far, all images together.</summary>
    public long Backwards { get; init; }

    /// <summary>Time spent so far.</summary>
    public TimeSpan Elapsed { get; init; }
}
