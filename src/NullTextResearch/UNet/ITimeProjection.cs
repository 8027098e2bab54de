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
