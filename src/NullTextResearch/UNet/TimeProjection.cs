using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.UNet;

/// <summary>Turns timesteps into the sinusoids that enter the time embedding.</summary>
public interface ITimeProjection
{
    /// <summary>Projects timesteps.</summary>
    /// <param name="timesteps">Network timesteps 0..999, integer [B].</param>
    /// <param name="channels">Width of the result.</param>
    /// <returns>[B, channels], in the projection's own precision; owned by the caller's dispose scope.</returns>
    Tensor Project(Tensor timesteps, long channels);
}

/// <summary>cos and sin of t times geometrically spaced frequencies (Ho et al. 2020).</summary>
/// <param name="Precision">Precision of the arithmetic. The originals use float32, also where the network runs in float64.</param>
/// <param name="CosineFirst">Cosines before sines, as Stable Diffusion has it.</param>
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

/// <summary>Sinusoids looked up in a table, for agreement to the last digit with a recorded run.</summary>
/// <param name="table">[1000, channels], borrowed for the life of this object.</param>
public sealed class TableProjection(Tensor table) : ITimeProjection
{
    /// <inheritdoc/>
    public Tensor Project(Tensor timesteps, long channels)
    {
        Tensors.Shape.Require(table, [-1, channels]);
        return table.index_select(0, timesteps.to(ScalarType.Int64));
    }
}
