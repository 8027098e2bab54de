namespace NullTextResearch.Diffusion;

/// <summary>How a sampler spreads its timesteps over those of training. Lin et al. 2023, table 2.</summary>
public enum TimestepSpacing
{
    /// <summary>Multiples of the stride plus the offset: never visits the noisiest timestep (Stable Diffusion's own choice).</summary>
    Leading,

    /// <summary>Counted down from the noisiest timestep: what a schedule with zero terminal signal needs.</summary>
    Trailing,

    /// <summary>From the noisiest to the cleanest timestep, both included.</summary>
    Linspace,
}
