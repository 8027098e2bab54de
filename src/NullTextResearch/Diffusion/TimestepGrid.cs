namespace NullTextResearch.Diffusion;

/// <summary>
/// The timesteps that a sampler visits. Noise levels are numbered 0 (clean) to T (noisiest); step i moves between level
/// T-i and level T-i-1.
/// </summary>
public sealed class TimestepGrid
{
    /// <summary>Spreads <paramref name="steps"/> moves as the schedule's <see cref="NoiseSchedule.Spacing"/> says.</summary>
    /// <param name="schedule">The model's schedule.</param>
    /// <param name="steps">T, the number of moves.</param>
    /// <remarks>
    /// Each move ends where the next begins, whatever the spacing. diffusers' DDIM scheduler always moves by the integer stride, so with trailing
    /// or linspace spacing and a number of steps that does not divide the timesteps its moves leave gaps; here they do not.
    /// </remarks>
    public TimestepGrid(NoiseSchedule schedule, int steps)
    {
        if (steps < 1 || steps > schedule.TrainTimesteps)
            throw new ArgumentOutOfRangeException(nameof(steps), steps, $"The number of steps must lie between 1 and {schedule.TrainTimesteps}.");
        Schedule = schedule;
        Stride = schedule.TrainTimesteps / steps;
        int[] timesteps = Timesteps(schedule, steps);
        if (timesteps[0] >= schedule.TrainTimesteps)
            throw new ArgumentOutOfRangeException(
                nameof(steps),
                steps,
                $"With offset {schedule.StepsOffset} the noisiest timestep would be {timesteps[0]}, beyond {schedule.TrainTimesteps - 1}; use fewer steps."
            );
        Moves =
        [
            .. timesteps.Select(
                (timestep, i) =>
                    new DiffusionStep(
                        i,
                        timestep,
                        schedule.At(timestep),
                        i + 1 < steps ? schedule.At(timesteps[i + 1])
                            : schedule.Spacing == TimestepSpacing.Leading ? schedule.At(timestep - Stride)
                            : schedule.Final
                    )
            ),
        ];
    }

    /// <summary>The schedule that the grid is based on.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>Network timesteps between two levels, rounded down.</summary>
    public int Stride { get; }

    /// <summary>T, the number of moves.</summary>
    public int Steps => Moves.Count;

    /// <summary>The moves, noisy to clean.</summary>
    public IReadOnlyList<DiffusionStep> Moves { get; }

    /// <summary>Signal level of noise level 0..T.</summary>
    public NoiseLevel Level(int level) => level == 0 ? Moves[^1].Clean : Moves[Steps - level].Noisy;

    /// <summary>The timestep of the level that a move ends at, going towards clean; 0 if that lies before the first timestep.</summary>
    /// <param name="step">Index of the move.</param>
    public int CleanTimestep(int step) => step + 1 < Steps ? Moves[step + 1].Timestep : Math.Max(0, Moves[step].Timestep - Stride);

    /// <summary>The move whose timestep is nearest to a given one.</summary>
    /// <param name="timestep">Network timestep.</param>
    /// <returns>Index of the move, 0 to T-1.</returns>
    public int NearestStep(int timestep)
    {
        // Evenly spaced: in closed form, which also defines how ties are broken.
        if (Schedule.Spacing == TimestepSpacing.Leading)
            return Steps - 1 - Math.Clamp((int)Math.Round((timestep - Schedule.StepsOffset) / (double)Stride), 0, Steps - 1);
        return Moves.MinBy(m => Math.Abs(m.Timestep - timestep)).Step;
    }

    private static int[] Timesteps(NoiseSchedule schedule, int steps)
    {
        int all = schedule.TrainTimesteps;
        double stride = (double)all / steps;
        return schedule.Spacing switch
        {
            TimestepSpacing.Trailing => [.. Enumerable.Range(0, steps).Select(i => (int)Math.Round(all - (i * stride)) - 1)],
            TimestepSpacing.Linspace =>
            [
                .. Enumerable.Range(0, steps).Select(i => steps == 1 ? 0 : (int)Math.Round((steps - 1 - i) * (all - 1.0) / (steps - 1))),
            ],
            _ => [.. Enumerable.Range(0, steps).Select(i => ((steps - 1 - i) * (all / steps)) + schedule.StepsOffset)],
        };
    }
}
