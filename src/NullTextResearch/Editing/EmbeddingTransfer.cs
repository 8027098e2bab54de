using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Transfers an optimised prompt embedding to an edited prompt.</summary>
public static class EmbeddingTransfer
{
    /// <summary>
    /// Rows of tokens that both prompts share come from the optimised source embedding, rows of changed or added tokens from
    /// the target's own embedding.
    /// </summary>
    /// <param name="optimised">
    /// Source embedding of one image, possibly per step; borrowed. Where it has value tokens, those are transferred, and the keys are the target's own.
    /// </param>
    /// <param name="source">Source prompt.</param>
    /// <param name="target">Target prompt.</param>
    /// <param name="targetEmbedding">Text encoder's output for the target prompt, one row; borrowed. Whatever it has beside tokens is kept.</param>
    /// <returns>Embedding for the target branch, per step if the optimised one is; owned by the caller.</returns>
    /// <remarks>
    /// For methods that optimise the prompt itself (textual inversion with and without a pivot). Mokady et al. do not say how such a result is edited; this is
    /// our interpretation.
    /// </remarks>
    /// <exception cref="ShapeMismatchException">The embeddings do not fit the prompts or each other.</exception>
    public static StepEmbeddings Transfer(StepEmbeddings optimised, TokenizedPrompt source, TokenizedPrompt target, Conditioning targetEmbedding)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        bool valuesAlone = optimised.Stored.ValueTokens is not null;
        Tensor values = optimised.Stored.ValueTokens ?? optimised.Values;
        long[] one = [1, source.ContextLength, values.shape[^1]];
        Shape.Require(targetEmbedding.Tokens, one);
        Shape.Require(values, optimised.IsPerStep ? [-1, .. one] : one);
        IReadOnlyList<int> sources = TokenAlignment.Refinement(source, target).Sources;
        Tensor index = tensor(sources.Select(s => (long)Math.Max(s, 0)).ToArray(), device: values.device);
        Tensor shared = tensor(sources.Select(s => s >= 0).ToArray(), device: values.device).unsqueeze(-1);
        Tensor mixed = where(shared, values.index_select(-2, index), targetEmbedding.Tokens.to(values.dtype, values.device));
        Conditioning all = valuesAlone
            ? targetEmbedding with
            {
                Tokens = targetEmbedding.Tokens.to(values.dtype, values.device).expand(mixed.shape),
                ValueTokens = mixed,
            }
            : targetEmbedding with
            {
                Tokens = mixed,
            };
        return optimised.IsPerStep ? StepEmbeddings.PerStep(all) : StepEmbeddings.Constant(all);
    }
}
