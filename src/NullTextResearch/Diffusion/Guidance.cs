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
}
