using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>
/// A network that takes a pooled embedding, extra numbers and a distilled guidance scale beside tokens: it adds them to every token and asks another network.
/// A method that is told a condition in parts must therefore do what it does when told their sum.
/// </summary>
/// <param name="inner">Takes tokens alone.</param>
public sealed class FoldedConditions(INoisePredictor inner) : INoisePredictor
{
    /// <summary>Parts of a text embedding whose sum it is.</summary>
    /// <param name="tokens">[B, tokens, d].</param>
    /// <returns>Pooled and extra have d numbers per row, different for each row; in the current dispose scope.</returns>
    public static Conditioning Split(Tensor tokens)
    {
        const double Scale = 0.125;
        Tensor pooled = tokens.mean([1]).Times(0.5),
            extra = tokens.narrow(1, 0, 1).squeeze(1).Times(0.25).sin();
        return new Conditioning(tokens.sub(pooled.Plus(extra).Plus(Scale).unsqueeze(1)), pooled, extra, Scale);
    }

    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Folded(Tensor tokens)
        {
            foreach (Tensor part in new[] { condition.Pooled, condition.Extra }.OfType<Tensor>())
                tokens = tokens.Plus(part.unsqueeze(1));
            return condition.DistilledGuidance is { } scale ? tokens.Plus(scale) : tokens;
        }

        Conditioning whole = new(Folded(condition.Tokens)) { ValueTokens = condition.ValueTokens is { } values ? Folded(values) : null, Rows = condition.Rows };
        return inner.Predict(latents, step, whole).MoveToOuterDisposeScope();
    }
}
