using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Samples the target with a mixture of two embeddings: the image's own, best one optimised per step, and the target prompt's. With "textual-pivot" this is
/// Prompt Tuning Inversion, Dong et al. 2023 (arXiv 2305.04441). Nothing inside the network changes.
/// </summary>
public sealed class EmbeddingInterpolation : IEditDirector
{
    private readonly double _share;
    private StepEmbeddings? _mixed;

    internal EmbeddingInterpolation(EmbeddingInterpolationOptions options, EditProblem problem)
    {
        if (!(options.Share is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Share is {options.Share}; it must lie in [0, 1]."));
        _share = options.Share;
    }

    /// <inheritdoc/>
    public SamplingPlan Plan(SamplingPlan plan, INoisePredictor network)
    {
        using DisposeScope scope = NewDisposeScope();
        BatchLayout rows = plan.Rows!;
        using StepEmbeddings source = StepEmbeddings.Of([.. rows.Rows.Select(r => (plan.Conditional, rows.IndexOf(r with { Branch = 0 })))]);
        Conditioning own = plan.Conditional.Stored;
        Tensor share = tensor(rows.Rows.Select(r => r.IsSource ? 0 : _share).ToArray(), dtype: own.Tokens.dtype, device: own.Tokens.device);
        Conditioning mixed = source.Stored.Zip(
            own,
            // Rows are the last dimension but two of the tokens, whether there is an embedding per step or one for all, and the last but one of the rest.
            (from, to) => from.Plus(to.sub(from).mul(to.dim() == 2 ? share.view(-1, 1) : share.view(-1, 1, 1)))
        );
        _mixed = plan.Conditional.IsPerStep ? StepEmbeddings.PerStep(mixed) : StepEmbeddings.Constant(mixed);
        return plan with { Conditional = _mixed };
    }

    /// <inheritdoc/>
    public void Dispose() => _mixed?.Dispose();
}
