using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="Pix2PixZeroPath"/>; defaults are the published ones.</summary>
public sealed record Pix2PixZeroPathOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "pix2pix-zero";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the shifts by which a prediction is compared with itself.</summary>
    public long Seed { get; init; }

    /// <summary>Weight of the autocorrelation at latents of 64 x 64, finite and 0 or more (default 20); 0 leaves it out.</summary>
    public double AutoCorrelation { get; init; } = 20;

    /// <summary>Weight of the distance from a normal distribution at latents of 64 x 64, finite and 0 or more (default 20); 0 leaves it out.</summary>
    public double Divergence { get; init; } = 20;

    /// <summary>Rounds of both updates per step, 0 or more (default 5); 0 is DDIM inversion.</summary>
    public int Rounds { get; init; } = 5;

    /// <summary>Updates by the autocorrelation per round, 1 or more (default 5).</summary>
    public int Rolls { get; init; } = 5;

    /// <summary>
    /// The released code's levels: the network is asked at the level that the latents have, and the path climbs to one timestep below the next. Off by
    /// default: the sampler's moves with their levels exchanged, so that sampling starts at the level that the path ends at.
    /// </summary>
    public bool PublishedLevels { get; init; }

    /// <summary>
    /// The released code compares a map with itself unshifted too, which punishes noise for having a variance. Off by default.
    /// </summary>
    public bool PublishedShifts { get; init; }

    /// <summary>
    /// The released code's updates: gradients of means, which grow as latents shrink, so that the weights of 64 x 64 latents throw small ones off. Off
    /// by default: an update moves a value alike at every size.
    /// </summary>
    public bool PublishedScale { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new Pix2PixZeroPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(AutoCorrelation >= 0 && double.IsFinite(AutoCorrelation)))
            yield return FormattableString.Invariant($"AutoCorrelation is {AutoCorrelation}; it must be finite and 0 or more.");
        if (!(Divergence >= 0 && double.IsFinite(Divergence)))
            yield return FormattableString.Invariant($"Divergence is {Divergence}; it must be finite and 0 or more.");
        if (Rounds < 0)
            yield return $"Rounds is {Rounds}; it must be 0 or more.";
        if (Rolls < 1)
            yield return $"Rolls is {Rolls}; it must be at least 1.";
    }
}

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

    /// <summary>Shifts in the order of use, from 0 on, in place of drawn ones: steps, rounds, rolls, channels, sizes. Null draws them.</summary>
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
                    (AlphaBar from, AlphaBar to) = Levels(problem.Grid, step);
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

    private (AlphaBar From, AlphaBar To) Levels(TimestepGrid grid, DiffusionStep step)
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

    /// <summary>The shift with a number for a map of so many rows; null where it is too small to be shifted.</summary>
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
