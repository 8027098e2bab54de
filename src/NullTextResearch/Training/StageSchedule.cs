namespace NullTextResearch.Training;

/// <summary>Length and learning rate of one training stage.</summary>
public sealed record StageSchedule
{
    /// <summary>Number of optimiser steps in the stage.</summary>
    public required long Steps { get; init; }

    /// <summary>
    /// Minutes after which the stage ends even if steps remain. Infinite: only the number of steps counts, which keeps the run reproducible.
    /// </summary>
    public double Minutes { get; init; } = double.PositiveInfinity;

    /// <summary>Images per step.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>Number of parts into which each batch is split; workers take them in turn.</summary>
    public int Parts { get; init; } = 4;

    /// <summary>Highest learning rate.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>Steps of linear warm-up.</summary>
    public long WarmUp { get; init; } = 150;

    /// <summary>Share of the stage spent at the highest rate, before the cosine decay begins.</summary>
    public double Flat { get; init; }

    /// <summary>Final learning rate as a share of the highest.</summary>
    public double FinalShare { get; init; } = 0.02;

    /// <summary>Progress of the stage, 0 to 1.</summary>
    internal double Progress(long step, double seconds) => Math.Min(1, Math.Max((double)step / Steps, seconds / (60 * Minutes)));

    internal double RateAt(long step, double progress)
    {
        double cosine = progress <= Flat ? 1 : FinalShare + (1 - FinalShare) * 0.5 * (1 + Math.Cos(Math.PI * (progress - Flat) / (1 - Flat)));
        return Rate * Math.Min(1, (step + 1.0) / Math.Max(1, WarmUp)) * cosine;
    }
}
