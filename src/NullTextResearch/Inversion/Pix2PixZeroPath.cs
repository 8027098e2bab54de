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
    // Maps are halved until they have at most this height.
    private const int CoarsestHeight = 8;

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
        TimestepGrid grid = problem.Grid;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        List<Tensor> levels = [problem.Latents.detach()];
        int shifts = 0;
        for (int level = 0; level < grid.Steps; level++)
        {
            cancellation.ThrowIfCancellationRequested();
            DiffusionStep step = grid.Moves[grid.Steps - 1 - level];
            Tensor z = levels[^1];
            (AlphaBar from, AlphaBar to) = Levels(grid, step);
            levels.Add(
                Lifetime.Scoped(() =>
                {
                    Tensor noise = problem.Predictor.Predict(z, step, problem.Conditional);
                    for (int round = 0; round < _options.Rounds; round++)
                    {
                        cancellation.ThrowIfCancellationRequested();
                        noise = Regularised(noise, ref shifts);
                    }
                    return Ddim.Move(z, noise, from, to);
                })
            );
            progress?.Report(new InversionProgress(Name, level + 1, grid.Steps));
        }
        return new Walk { Levels = new PivotTrajectory(levels) };
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
        if (_options.AutoCorrelation > 0)
        {
            for (int roll = 0; roll < _options.Rolls; roll++)
            {
                int[][] drawn = Draw((int)noise.shape[1], noise.shape[2], ref shifts);
                noise = Descended(noise, e => Correlation(e, drawn), _options.AutoCorrelation / _options.Rolls * scale);
            }
        }
        return _options.Divergence > 0 ? Descended(noise, DivergenceOf, _options.Divergence * scale) : noise;
    }

    /// <summary>A step down the gradient of a number that sums over images, none of which influences another's part.</summary>
    private static Tensor Descended(Tensor noise, Func<Tensor, Tensor?> loss, double rate) =>
        Lifetime.Scoped(() =>
        {
            Tensor gradient;
            using (enable_grad())
            {
                Tensor leaf = noise.detach().requires_grad_(true);
                if (loss(leaf) is not { } total)
                    return noise.alias();
                gradient = PredictionGradient.Of(total, [leaf])[0];
            }
            return noise.sub(gradient.Times(rate));
        });

    /// <summary>Shifts of each channel's map and its halvings; 0 where a map is too small to be shifted.</summary>
    private int[][] Draw(int channels, long height, ref int shifts)
    {
        int[][] all = new int[channels][];
        for (int channel = 0; channel < channels; channel++)
        {
            List<int> own = [];
            for (long h = height; ; h /= 2)
            {
                int number = shifts++,
                    half = (int)(h / 2),
                    least = _options.PublishedShifts ? 0 : 1;
                own.Add(
                    Shift?.Invoke(number) is { } given ? given
                    : half <= least ? 0
                    : least + Draws.Index(_options.Seed, number, half - least)
                );
                if (h <= CoarsestHeight)
                    break;
            }
            all[channel] = [.. own];
        }
        return all;
    }

    /// <summary>Sum over channels, sizes and both directions of the squared mean product of a map with itself shifted; null where nothing is shifted.</summary>
    private Tensor? Correlation(Tensor noise, int[][] shifts)
    {
        List<Tensor> terms = [];
        for (int channel = 0; channel < shifts.Length; channel++)
        {
            Tensor map = noise.narrow(1, channel, 1);
            for (int size = 0; size < shifts[channel].Length; size++)
            {
                if (size > 0)
                    map = nn.functional.avg_pool2d(map, 2);
                int shift = shifts[channel][size];
                if (shift == 0 && !_options.PublishedShifts)
                    continue;
                foreach (long direction in (long[])[2, 3])
                    terms.Add(map.mul(map.roll(shift, direction)).mean([1L, 2, 3]).Squared().sum());
            }
        }
        return terms.Count == 0 ? null : stack(terms).sum();
    }

    /// <summary>var + mean^2 - 1 - log var of each image's values, summed: twice the divergence of a normal distribution from the standard one.</summary>
    private static Tensor DivergenceOf(Tensor noise)
    {
        Tensor values = noise.flatten(1);
        Tensor mean = values.mean([1L], keepdim: true);
        Tensor variance = values.sub(mean).Squared().sum([1L]).Over(values.shape[1] - 1);
        return variance.Plus(mean.squeeze(1).Squared()).sub(variance.Plus(1e-7).log()).Plus(-1).sum();
    }
}
