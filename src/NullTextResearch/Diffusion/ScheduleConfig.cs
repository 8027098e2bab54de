namespace NullTextResearch.Diffusion;

/// <summary>Parameters of a noise schedule; defaults are those of Stable Diffusion 1.x.</summary>
public sealed record ScheduleConfig
{
    /// <summary>First beta.</summary>
    public double BetaStart { get; init; } = 0.00085;

    /// <summary>Last beta.</summary>
    public double BetaEnd { get; init; } = 0.012;

    /// <summary>How beta changes between them.</summary>
    public BetaCurve Curve { get; init; }

    /// <summary>Number of network timesteps, 2 to <see cref="NoiseSchedule.MostTimesteps"/>.</summary>
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
    /// Shift the schedule so that the noisiest timestep holds no signal (Lin et al. 2023, algorithm 1); for networks trained that way, which predict velocity
    /// and need trailing spacing.
    /// </summary>
    public bool ZeroTerminalSnr { get; init; }
}
