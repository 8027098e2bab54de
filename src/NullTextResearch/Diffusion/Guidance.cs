using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>Classifier-free guidance.</summary>
public static class Guidance
{
    /// <summary>unconditional + w (conditional - unconditional).</summary>
    /// <param name="unconditional">Prediction for the empty (or null-text) embedding; borrowed.</param>
    /// <param name="conditional">Prediction for the prompt, same shape; borrowed.</param>
    /// <param name="guidanceScale">w; 1 gives the conditional prediction.</param>
    /// <returns>Guided noise prediction; owned by the caller's dispose scope.</returns>
    /// <remarks>Ho and Salimans 2021; Mokady et al., eq. (2).</remarks>
    public static Tensor Combine(Tensor unconditional, Tensor conditional, double guidanceScale)
    {
        Shape.RequireSame(conditional, unconditional);
        return Lifetime.Scoped(() => conditional.sub(unconditional).Times(guidanceScale).Plus(unconditional));
    }

    /// <summary>As above, with a separate scale for each row.</summary>
    /// <param name="unconditional">[rows, ...]; borrowed.</param>
    /// <param name="conditional">Same shape; borrowed.</param>
    /// <param name="guidanceScales">w of each row.</param>
    /// <returns>Guided noise prediction; owned by the caller's dispose scope.</returns>
    public static Tensor Combine(Tensor unconditional, Tensor conditional, IReadOnlyList<double> guidanceScales)
    {
        Shape.RequireSame(conditional, unconditional);
        if (guidanceScales.Count != conditional.shape[0])
            throw new ArgumentException($"There are {guidanceScales.Count} guidance scales for {conditional.shape[0]} rows.", nameof(guidanceScales));
        if (guidanceScales.All(w => w == guidanceScales[0]))
            return Combine(unconditional, conditional, guidanceScales[0]);
        return Lifetime.Scoped(() =>
        {
            long[] perRow = [conditional.shape[0], .. Enumerable.Repeat(1L, (int)conditional.Dimensions - 1)];
            Tensor scales = tensor(guidanceScales.ToArray(), dtype: conditional.dtype, device: conditional.device).view(perRow);
            return conditional.sub(unconditional).mul(scales).Plus(unconditional);
        });
    }

    /// <summary>The guided prediction, from one network call with the unconditional rows first.</summary>
    /// <param name="predictor">Network.</param>
    /// <param name="latents">z_t, [B, 4, H, W]; borrowed.</param>
    /// <param name="step">Where on the grid.</param>
    /// <param name="condition">Prompts of B rows; borrowed.</param>
    /// <param name="unconditional">Unconditional (or null-text) condition, B rows or one; borrowed.</param>
    /// <param name="guidanceScale">w.</param>
    /// <returns>Guided noise prediction; owned by the caller's dispose scope.</returns>
    public static Tensor Predict(
        INoisePredictor predictor,
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Conditioning unconditional,
        double guidanceScale
    ) =>
        Lifetime.Scoped(() =>
        {
            (Tensor without, Tensor with) = PredictBoth(predictor, latents, step, condition, unconditional);
            return Combine(without, with, guidanceScale);
        });

    /// <summary>Both predictions of classifier-free guidance, from one network call with the unconditional rows first.</summary>
    /// <returns>Unconditional and conditional, [B, 4, H, W] each; owned by the caller's dispose scope.</returns>
    internal static (Tensor Unconditional, Tensor Conditional) PredictBoth(
        INoisePredictor predictor,
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Conditioning unconditional
    )
    {
        Tensor[] both = predictor.Predict(cat([latents, latents], 0), step, condition.Guided(unconditional)).chunk(2, 0);
        return (both[0], both[1]);
    }
}
