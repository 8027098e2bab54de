using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Evaluates a loss of the noise prediction and its gradient with respect to the embedding only.</summary>
internal static class EmbeddingGradient
{
    /// <summary>Predicts noise with gradients recorded, and differentiates the sum of the row losses.</summary>
    /// <param name="meter">Counting predictor.</param>
    /// <param name="latents">[B, C, H, W]; no gradient is taken.</param>
    /// <param name="step">Where on the grid.</param>
    /// <param name="condition">B rows. No row influences the loss of another.</param>
    /// <param name="loss">Prediction to loss per row, [B].</param>
    /// <param name="ofValues">Whether the gradient is that of the value tokens instead of the tokens.</param>
    /// <returns>Losses per row; gradient and detached prediction, both owned by the caller's dispose scope.</returns>
    public static (double[] Losses, Tensor Gradient, Tensor Prediction) Compute(
        InversionMeter meter,
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        bool ofValues = false
    )
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        PredictionGradient result = meter.Differentiate(latents, step, condition, loss, ofValues ? GradientOf.ValueTokens : GradientOf.Tokens);
        return (
            ToDoubles(result.Losses),
            (ofValues ? result.ValueTokens : result.Tokens)!.MoveToOuterDisposeScope(),
            result.Prediction.MoveToOuterDisposeScope()
        );
    }

    /// <summary>Mean squared difference per row, [B].</summary>
    public static Tensor MeanSquare(Tensor actual, Tensor expected)
    {
        Shape.RequireSame(actual, expected);
        return Lifetime.Scoped(() => actual.sub(expected).Squared().flatten(1).mean([1]));
    }

    /// <summary>Sets the gradient of all rows except the first ones to zero, so that Adam leaves those rows unchanged.</summary>
    /// <param name="gradient">[B, tokens, d], changed in place.</param>
    /// <param name="rows">How many rows keep their gradient; null for all.</param>
    public static void KeepRows(Tensor gradient, int? rows)
    {
        long tokens = gradient.shape[1];
        if (rows is not { } kept || kept >= tokens)
            return;
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        gradient.narrow(1, kept, tokens - kept).zero_();
    }

    /// <summary>Values of any shape and type as numbers, in order.</summary>
    public static double[] ToDoubles(Tensor values)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return values.detach().cpu().to(ScalarType.Float64).data<double>().ToArray();
    }
}
