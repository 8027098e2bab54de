namespace NullTextResearch.Diffusion;

/// <summary>What a network predicts.</summary>
public enum PredictionType
{
    /// <summary>The noise, epsilon (Stable Diffusion 1.x, 2.x base).</summary>
    Epsilon,

    /// <summary>The velocity v = sqrt(alphaBar) epsilon - sqrt(1 - alphaBar) z_0 (Stable Diffusion 2.x at 768 pixels). Salimans and Ho 2022.</summary>
    Velocity,
}

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

/// <summary>How beta runs from the first timestep to the last.</summary>
public enum BetaCurve
{
    /// <summary>Linear in its square root (Stable Diffusion).</summary>
    ScaledLinear,

    /// <summary>Linear (the first diffusion models; the default of diffusers' schedulers).</summary>
    Linear,
}

/// <summary>What a noise schedule is made from; defaults are Stable Diffusion 1.x.</summary>
public sealed record ScheduleConfig
{
    /// <summary>First beta.</summary>
    public double BetaStart { get; init; } = 0.00085;

    /// <summary>Last beta.</summary>
    public double BetaEnd { get; init; } = 0.012;

    /// <summary>What lies between them.</summary>
    public BetaCurve Curve { get; init; }

    /// <summary>Network timesteps, 2 to <see cref="NoiseSchedule.MostTimesteps"/>.</summary>
    public int TrainTimesteps { get; init; } = 1000;

    /// <summary>Signal level beyond the first timestep: 1 if true, that of timestep 0 if false.</summary>
    public bool FinalIsOne { get; init; }

    /// <summary>Added to every timestep of a grid with leading spacing.</summary>
    public int StepsOffset { get; init; } = 1;

    /// <summary>How timesteps are spread.</summary>
    public TimestepSpacing Spacing { get; init; }

    /// <summary>What the network predicts.</summary>
    public PredictionType Prediction { get; init; }

    /// <summary>
    /// Shift the schedule so that the noisiest timestep holds no signal (Lin et al. 2023, algorithm 1); for networks that were trained so, which
    /// then predict velocity and want trailing spacing.
    /// </summary>
    public bool ZeroTerminalSnr { get; init; }
}
