using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.UNet;

/// <summary>cos and sin of t times geometrically spaced frequencies (Ho et al. 2020).</summary>
/// <param name="Precision">Precision of the arithmetic. The originals use float32 even if the network runs in float64.</param>
/// <param name="CosineFirst">Cosines before sines, as in Stable Diffusion.</param>
/// <param name="FrequencyShift">0 for Stable Diffusion.</param>
public sealed record SinusoidalProjection(ScalarType Precision = ScalarType.Float32, bool CosineFirst = true, double FrequencyShift = 0) : ITimeProjection
{
    /// <inheritdoc/>
    public Tensor Project(Tensor timesteps, long channels)
    {
        long half = channels / 2;
        Tensor exponent = ScalarArithmetic.Range(half, Precision, timesteps.device).Times(-Math.Log(10000)).Over(half - FrequencyShift);
        Tensor angles = timesteps.to(Precision).unsqueeze(1).mul(exponent.exp().unsqueeze(0));
        return CosineFirst ? cat([angles.cos(), angles.sin()], -1) : cat([angles.sin(), angles.cos()], -1);
    }
}
