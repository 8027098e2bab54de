using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="ReNoisePath"/>; weights and counts of the regularisers are the paper's.</summary>
public sealed record ReNoiseOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "renoise";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the reference's noise and of the shifts; the noise of an image depends on its key too.</summary>
    public long Seed { get; init; }

    /// <summary>How often a step is made again from where it led, 0 or more (default 4; the released Stable Diffusion example: 1).</summary>
    public int Renoisings { get; init; } = 4;

    /// <summary>The most of them at early timesteps, 0 or more (default 5).</summary>
    public int MostEarly { get; init; } = 5;

    /// <summary>Timesteps below this are early, 0 or more (default 250, of the usual 1,000).</summary>
    public int EarlyBelow { get; init; } = 250;

    /// <summary>Whether a step is made with the mean of several of its predictions (default), or with the last one.</summary>
    public bool Average { get; init; } = true;

    /// <summary>First prediction in the mean of early steps, from 0 (default 0).</summary>
    public int EarlyAverageFrom { get; init; }

    /// <summary>First prediction beyond the mean of early steps (default 5).</summary>
    public int EarlyAverageTo { get; init; } = 5;

    /// <summary>
    /// First prediction in the mean of all other steps, from 0, and the first to be regularised (default 3). The released code has 8, which with its
    /// example's single renoising is never reached.
    /// </summary>
    public int AverageFrom { get; init; } = 3;

    /// <summary>First prediction beyond the mean of all other steps (default 5; released 10).</summary>
    public int AverageTo { get; init; } = 5;

    /// <summary>Rounds of regularisation of a prediction, 0 or more (default 4); 0 is none.</summary>
    public int RegularisationRounds { get; init; } = 4;

    /// <summary>lambda_KL, 0 or more (default 0.065): how far a round moves a prediction's patches towards the statistics of the reference.</summary>
    public double PatchWeight { get; init; } = 0.065;

    /// <summary>
    /// lambda_pair for latents of 64 x 64, 0 or more (default 20): how far a round moves a prediction towards no correlation with itself. The loss is
    /// a mean over the map, so that other sizes take H W / 4096 of it for steps of the same size; the released code does not.
    /// </summary>
    public double CorrelationWeight { get; init; } = 20;

    /// <summary>Parts of a round with random shifts of their own, 1 or more (default 5).</summary>
    public int Shifts { get; init; } = 5;

    /// <summary>
    /// Whether a shift may be 0, which holds the variance down in place of a correlation. The released code allows it; off by default.
    /// </summary>
    public bool PublishedShifts { get; init; }

    /// <summary>
    /// Whether the reference is the prediction for the image without noise, whatever the timestep, as in the released code for Stable Diffusion 1 and
    /// 2. Off by default: the image has the noise of the timestep.
    /// </summary>
    public bool PublishedReference { get; init; }

    /// <summary>w of the inversion, finite (default 1); sample with the same w to come back.</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <inheritdoc/>
    public override IPath Create() => new ReNoisePath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        foreach (
            (string name, int value) in ((string, int)[])
                [
                    (nameof(Renoisings), Renoisings),
                    (nameof(MostEarly), MostEarly),
                    (nameof(EarlyBelow), EarlyBelow),
                    (nameof(EarlyAverageFrom), EarlyAverageFrom),
                    (nameof(EarlyAverageTo), EarlyAverageTo),
                    (nameof(AverageFrom), AverageFrom),
                    (nameof(AverageTo), AverageTo),
                    (nameof(RegularisationRounds), RegularisationRounds),
                ]
        )
        {
            if (value < 0)
                yield return $"{name} is {value}; it must be 0 or more.";
        }
        foreach ((string name, double value) in ((string, double)[])[(nameof(PatchWeight), PatchWeight), (nameof(CorrelationWeight), CorrelationWeight)])
        {
            if (!(value >= 0 && double.IsFinite(value)))
                yield return FormattableString.Invariant($"{name} is {value}; it must be finite, and 0 or more.");
        }
        if (Shifts < 1)
            yield return $"Shifts is {Shifts}; it must be at least 1.";
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}

/// <summary>
/// ReNoise: each step is made again and again from where it led, several of its noise predictions are averaged, and what is used is moved towards the
/// statistics of noise. Garibi et al. 2024 (arXiv 2403.14602).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class ReNoisePath(ReNoiseOptions? options = null) : IPath
{
    // The released code's bound of the patch loss's gradient.
    private const double MostGradient = 100;

    private readonly ReNoiseOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "ReNoise inversion";

    /// <summary>Noise of the reference in place of a drawn one: [B, 4, H, W], borrowed.</summary>
    public Tensor? Noise { get; init; }

    /// <summary>Gives the shift of a map of so many rows, in place of a drawn one.</summary>
    public Func<int, int>? Shift { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        TimestepGrid grid = problem.Grid;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        bool hasReference = _options is { RegularisationRounds: > 0, PatchWeight: > 0 };
        Tensor? noise = hasReference && !_options.PublishedReference ? Noise ?? Draws.Noise(problem, _options.Seed, 0) : null;
        long drawn = 0;
        int Drawn(int rows)
        {
            int half = rows / 2;
            return _options.PublishedShifts
                ? Draws.Index(_options.Seed, drawn++, Math.Max(1, half))
                : 1 + Draws.Index(_options.Seed, drawn++, Math.Max(1, half - 1));
        }
        List<Tensor> levels = [problem.Latents.detach()];
        for (int level = 0; level < grid.Steps; level++)
        {
            DiffusionStep step = grid.Moves[grid.Steps - 1 - level];
            Tensor z = levels[^1];
            levels.Add(Lifetime.Scoped(() => Next(problem, z, step, hasReference, noise, Shift ?? Drawn, cancellation)));
            progress?.Report(new InversionProgress(Name, level + 1, grid.Steps));
        }
        return new Walk { Levels = new PivotTrajectory(levels) };
    }

    private Tensor Next(
        InversionProblem problem,
        Tensor z,
        DiffusionStep step,
        bool hasReference,
        Tensor? noise,
        Func<int, int> shift,
        CancellationToken cancellation
    )
    {
        bool isEarly = step.Timestep < _options.EarlyBelow;
        int renoisings = isEarly ? Math.Min(_options.MostEarly, _options.Renoisings) : _options.Renoisings,
            from = isEarly ? _options.EarlyAverageFrom : _options.AverageFrom,
            to = isEarly ? _options.EarlyAverageTo : _options.AverageTo,
            averaged = 0;
        Tensor y = z;
        Tensor? mean = null,
            reference = null;
        for (int i = 0; i <= renoisings; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Tensor e = problem.Predict(y, step, _options.GuidanceScale);
            if (i == 0 && hasReference)
            {
                Tensor image = noise is null ? problem.Latents : NoiseSchedule.AddNoise(problem.Latents, noise, step.Noisy);
                reference = problem.Predict(image, step, _options.GuidanceScale);
            }
            if (i >= from && i < to)
            {
                averaged++;
                mean = mean is null ? e : mean.Times((averaged - 1.0) / averaged).Plus(e.Over(averaged));
            }
            if (i >= from || (!_options.Average && i > 0))
                e = Regularised(e, reference, shift);
            y = Ddim.Move(z, e, step.Clean, step.Noisy);
        }
        return _options.Average && mean is not null ? Ddim.Move(z, Regularised(mean, reference, shift), step.Clean, step.Noisy) : y;
    }

    private Tensor Regularised(Tensor prediction, Tensor? reference, Func<int, int> shift) =>
        Lifetime.Scoped(() =>
        {
            double share = _options.CorrelationWeight * prediction.shape[2] * prediction.shape[3] / (64 * 64) / _options.Shifts;
            Tensor e = prediction.alias();
            for (int round = 0; round < _options.RegularisationRounds; round++)
            {
                if (reference is not null)
                    e = e.Then(x => x.sub(Gradient(x, p => PatchDivergence(p, reference)).Clamped(-MostGradient, MostGradient).Times(_options.PatchWeight)));
                for (int part = 0; part < _options.Shifts && _options.CorrelationWeight > 0; part++)
                    e = e.Then(x => x.sub(Gradient(x, p => SelfCorrelation(p, shift)).Times(share)));
            }
            return e;
        });

    private static Tensor Gradient(Tensor at, Func<Tensor, Tensor> loss) =>
        Lifetime.Scoped(() =>
        {
            using IDisposable grad = enable_grad();
            Tensor leaf = at.detach().requires_grad_(true);
            return PredictionGradient.Of(loss(leaf).sum(), [leaf])[0];
        });

    /// <summary>
    /// How far the statistics of small patches are from those of a reference: the sum over channels and patches of 4 x 4 (or the whole, where that is
    /// smaller) of |log(v1 / v0) + (v0 + (m0 - m1)^2) / v1 - 1|, with m and v mean and variance, 1 of the reference. Rows and columns beyond the last
    /// whole patch do not count.
    /// </summary>
    /// <param name="prediction">[B, C, H, W]; borrowed. Gradients flow to it.</param>
    /// <param name="reference">Same shape; borrowed.</param>
    /// <returns>[B]; owned by the caller's dispose scope.</returns>
    public static Tensor PatchDivergence(Tensor prediction, Tensor reference)
    {
        Shape.RequireSame(reference, prediction);
        const double Least = 1e-6;
        return Lifetime.Scoped(() =>
        {
            (Tensor m0, Tensor v0) = Moments(prediction);
            (Tensor m1, Tensor v1) = Moments(reference);
            Tensor own = v0.Plus(Least),
                other = v1.Plus(Least);
            Tensor distance = other.div(own).log().Plus(v0.Plus(m0.sub(m1).Squared()).div(other)).Plus(-1);
            return distance.abs().flatten(1).sum(1);
        });
    }

    /// <summary>Mean and unbiased variance of every patch.</summary>
    private static (Tensor Mean, Tensor Variance) Moments(Tensor map)
    {
        const int Side = 4;
        long rows = Math.Min(Side, map.shape[2]),
            columns = Math.Min(Side, map.shape[3]);
        Tensor patches = map.unfold(2, rows, rows).unfold(3, columns, columns).flatten(4);
        Tensor mean = patches.mean([4], keepdim: true);
        Tensor variance = patches.sub(mean).Squared().sum(4).Over(Math.Max(1, (rows * columns) - 1));
        return (mean.squeeze(4), variance);
    }

    /// <summary>
    /// How much every channel resembles itself some way off: mean(n shifted(n))^2 along rows and along columns, summed over channels and over the map
    /// and its halvings down to 8 rows.
    /// </summary>
    /// <param name="prediction">[B, C, H, W]; borrowed. Gradients flow to it.</param>
    /// <param name="shift">Gets the rows of a map, gives the shift; asked channel by channel, large maps first.</param>
    /// <returns>[B]; owned by the caller's dispose scope.</returns>
    public static Tensor SelfCorrelation(Tensor prediction, Func<int, int> shift)
    {
        const int Smallest = 8;
        return Lifetime.Scoped(() =>
        {
            List<Tensor> terms = [];
            for (long channel = 0; channel < prediction.shape[1]; channel++)
            {
                Tensor map = prediction.narrow(1, channel, 1);
                while (true)
                {
                    long by = shift((int)map.shape[2]);
                    foreach (long axis in (long[])[2, 3])
                        terms.Add(map.mul(map.roll(by, axis)).mean([1, 2, 3]).Squared());
                    if (map.shape[2] <= Smallest || map.shape[3] < 2)
                        break;
                    map = F.avg_pool2d(map, 2);
                }
            }
            return stack(terms, 1).sum(1);
        });
    }
}
