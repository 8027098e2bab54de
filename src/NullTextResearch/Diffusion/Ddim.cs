using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Diffusion;

/// <summary>The update that sampling and inversion share.</summary>
public static class Ddim
{
    /// <summary>Moves latents between two noise levels along the deterministic DDIM path (eta = 0).</summary>
    /// <param name="latents">z at level <paramref name="from"/>, [B, 4, H, W]; borrowed.</param>
    /// <param name="noisePrediction">Predicted noise, same shape; borrowed.</param>
    /// <param name="from">Level of the latents.</param>
    /// <param name="to">Target level: cleaner means sampling, noisier means inversion.</param>
    /// <returns>New latents, same shape, owned by the caller's dispose scope. Gradients flow to both inputs.</returns>
    /// <exception cref="ShapeMismatchException">The tensors differ in shape.</exception>
    /// <remarks>
    /// z' = (a'/a) z + (s' - a' s/a) epsilon for z = a z_0 + s epsilon. For a variance-preserving model this is Song et al. 2020, eq. (12) with sigma = 0;
    /// for a rectified flow it is the Euler step. The signal of <paramref name="from"/> must not be 0. Mokady et al. print it without the factor
    /// sqrt(alphaBar_to) on the noise term; their code has it.
    /// </remarks>
    public static Tensor Move(Tensor latents, Tensor noisePrediction, NoiseLevel from, NoiseLevel to)
    {
        Shape.RequireSame(noisePrediction, latents);
        return Lifetime.Scoped(() => latents.Times(NoiseLevel.SignalRatio(from, to)).Plus(noisePrediction.Times(NoiseCoefficient(from, to))));
    }

    /// <summary>The factor of the noise prediction in <see cref="Move"/>; negative towards clean, positive towards noisy.</summary>
    public static double NoiseCoefficient(NoiseLevel from, NoiseLevel to) =>
        from.IsVariancePreserving && to.IsVariancePreserving
            ? to.Noise - Math.Sqrt(to.AlphaBar * (1 - from.AlphaBar) / from.AlphaBar)
            : to.Noise - (to.Signal * from.Noise / from.Signal);
}
