namespace NullTextResearch.Diffusion;

/// <summary>One move of a sampler between two neighbouring noise levels.</summary>
/// <param name="Step">Loop index 0..T-1, noisy to clean.</param>
/// <param name="Timestep">What the network is told, 0..999.</param>
/// <param name="Noisy">Signal level at the noisy end.</param>
/// <param name="Clean">Signal level at the clean end.</param>
public readonly record struct DiffusionStep(int Step, int Timestep, AlphaBar Noisy, AlphaBar Clean);

/// <summary>
/// The timesteps that a sampler visits. Noise levels are numbered 0 (clean) to T (noisiest); step i moves between level
/// T-i and level T-i-1.
/// </summary>
public sealed class TimestepGrid
{
    /// <summary>Spaces <paramref name="steps"/> moves evenly, as the DDIM scheduler of the originals does.</summary>
    /// <param name="schedule">The model's schedule.</param>
    /// <param name="steps">T, the number of moves.</param>
    public TimestepGrid(NoiseSchedule schedule, int steps)
    {
        if (steps < 1 || steps > schedule.TrainTimesteps)
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The number of steps must lie between 1 and {schedule.TrainTimesteps}.");
        Schedule = schedule;
        Stride = schedule.TrainTimesteps / steps;
        int last = (steps - 1) * Stride + schedule.StepsOffset;
        if (last >= schedule.TrainTimesteps)
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"With offset {schedule.StepsOffset} the noisiest timestep would be {last}, beyond {schedule.TrainTimesteps - 1}; use fewer steps.");
        Moves = [.. Enumerable.Range(0, steps).Select(i =>
        {
            int timestep = (steps - 1 - i) * Stride + schedule.StepsOffset;
            return new DiffusionStep(i, timestep, schedule.At(timestep), schedule.At(timestep - Stride));
        })];
    }

    /// <summary>The schedule the grid was cut from.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>Network timesteps between two levels.</summary>
    public int Stride { get; }

    /// <summary>T, the number of moves.</summary>
    public int Steps => Moves.Count;

    /// <summary>The moves, noisy to clean.</summary>
    public IReadOnlyList<DiffusionStep> Moves { get; }

    /// <summary>Signal level of noise level 0..T.</summary>
    public AlphaBar Level(int level) => level == 0 ? Moves[^1].Clean : Moves[Steps - level].Noisy;
}
