using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// DDIM inversion whose noise predictions are made more like noise: small gradient steps lower their autocorrelation and their distance from a normal
/// distribution. Parmar et al. 2023 (pix2pix-zero, arXiv 2302.03027), section 3.1.
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class Pix2PixZeroPath(Pix2PixZeroPathOptions? options = null) : IPath
{
    // Pixels of the latents for which the weights were published.
    private const double PublishedPixels = 64 * 64;

    private readonly Pix2PixZeroPathOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "pix2pix-zero inversion";

    /// <summary>Shifts instead of drawn ones, numbered from 0 in order of use: steps, rounds, rolls, channels, sizes. Null to draw them.</summary>
    public Func<int, int>? Shift { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        int shifts = 0;
        return new Walk
        {
            Levels = problem.Climb(
                Name,
                (z, step) =>
                {
                    (NoiseLevel from, NoiseLevel to) = Levels(problem.Grid, step);
                    Tensor noise = problem.Predictor.Predict(z, step, problem.Conditional);
                    for (int round = 0; round < _options.Rounds; round++)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        noise = Regularised(noise, ref shifts);
                    }
                    return Ddim.Move(z, noise, from, to);
                },
                progress,
                cancellation
            ),
        };
    }

    private (NoiseLevel From, NoiseLevel To) Levels(TimestepGrid grid, DiffusionStep step)
    {
        if (!_options.PublishedLevels)
            return (step.Clean, step.Noisy);
        NoiseSchedule schedule = grid.Schedule;
        int to = step.Timestep + grid.Stride - 1;
        return (schedule.At(step.Timestep - 1), schedule.At(Math.Min(to, schedule.TrainTimesteps - 1)));
    }

    /// <summary>One round of updates.</summary>
    private Tensor Regularised(Tensor noise, ref int shifts)
    {
        double scale = _options.PublishedScale ? 1 : noise.shape[2] * noise.shape[3] / PublishedPixels;
        int next = shifts;
        if (_options.AutoCorrelation > 0)
        {
            for (int roll = 0; roll < _options.Rolls; roll++)
                Descend(e => NoiseStatistics.SelfCorrelation(e, rows => ShiftOf(next++, rows)), _options.AutoCorrelation / _options.Rolls * scale);
        }
        if (_options.Divergence > 0)
            Descend(NoiseStatistics.Divergence, _options.Divergence * scale);
        shifts = next;
        return noise;

        void Descend(Func<Tensor, Tensor> loss, double rate) => noise = Lifetime.Scoped(() => noise.sub(NoiseStatistics.Gradient(noise, loss).Times(rate)));
    }

    /// <summary>The shift with the given number, for a map with the given number of rows; null if the map is too small to be shifted.</summary>
    private int? ShiftOf(int number, int rows)
    {
        int half = rows / 2,
            least = _options.PublishedShifts ? 0 : 1,
            shift = Shift?.Invoke(number) is { } given ? given
            : half <= least ? 0
            : least + Draws.Index(_options.Seed, number, half - least);
        return shift == 0 && !_options.PublishedShifts ? null : shift;
    }
}
