namespace NullTextResearch.Diffusion;

/// <summary>How beta runs from the first timestep to the last.</summary>
public enum BetaCurve
{
    /// <summary>Linear in its square root (Stable Diffusion).</summary>
    ScaledLinear,

    /// <summary>Linear (the first diffusion models; the default of diffusers' schedulers).</summary>
    Linear,
}
