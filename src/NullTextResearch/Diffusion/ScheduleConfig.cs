namespace NullTextResearch.Diffusion;

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
