using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="EditFriendlyPath"/>; defaults are the paper's, with the formulas put right.</summary>
public sealed record EditFriendlyOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "edit-friendly";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>Seed of the noise; together with the key of an image it decides that image's noise.</summary>
    public long Seed { get; init; }

    /// <summary>Share of the DDPM variance, above 0 to 1 (default 1).</summary>
    public double Eta { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 3.5).</summary>
    public double GuidanceScale { get; init; } = 3.5;

    /// <summary>Share of the steps that sampling leaves out, from the noisy end, 0 to below 1 (default 0.36): less keeps less of the image.</summary>
    public double Skip { get; init; } = 0.36;

    /// <summary>
    /// The released code's direction term, sqrt(1 - a - eta v) for sqrt(1 - a - eta^2 v): the same for eta 1. Off by default.
    /// </summary>
    public bool PublishedEta { get; init; }

    /// <summary>
    /// The released code sets the noise of the last step to zero, so that the image comes back only nearly (0.15 of a latent's unit on a small
    /// network). Off by default: it comes back up to rounding.
    /// </summary>
    public bool PublishedLastStep { get; init; }

    /// <inheritdoc/>
    public override IPath Create() => new EditFriendlyPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Eta is > 0 and <= 1))
            yield return FormattableString.Invariant($"Eta is {Eta}; it must lie above 0 and up to 1.");
        if (!(Skip is >= 0 and < 1))
            yield return FormattableString.Invariant($"Skip is {Skip}; it must lie in [0, 1).");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}

/// <summary>
/// Edit-friendly DDPM inversion: every level is the image with noise of its own, and the noise of each sampling step is what leads from one level to
/// the next. Huberman-Spiegelglas et al. 2024 (arXiv 2304.06140).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class EditFriendlyPath(EditFriendlyOptions? options = null) : IPath
{
    private readonly EditFriendlyOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "edit-friendly DDPM inversion";

    /// <summary>Noise of the level k, 1 (least noisy) to T, in place of a drawn one: [B, 4, H, W], borrowed.</summary>
    public Func<int, Tensor>? Noise { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        TimestepGrid grid = problem.Grid;
        int steps = grid.Steps;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor[] levels =
        [
            problem.Latents.detach(),
            .. Enumerable
                .Range(1, steps)
                .Select(k => NoiseSchedule.AddNoise(problem.Latents, Noise?.Invoke(k) ?? Draws.Noise(problem, _options.Seed, k), grid.Level(k))),
        ];
        Tensor[] noises = new Tensor[steps];
        foreach (DiffusionStep step in grid.Moves)
        {
            cancellation.ThrowIfCancellationRequested();
            int target = steps - 1 - step.Step;
            EditFriendlyReplay.Rule rule = EditFriendlyReplay.Rule.Of(step, _options.Eta, _options.PublishedEta);
            using DisposeScope inner = NewDisposeScope();
            Tensor mean = rule.Mean(levels[target + 1], problem.Predict(levels[target + 1], step, _options.GuidanceScale));
            bool isNone = rule.Deviation == 0 || (_options.PublishedLastStep && target == 0);
            Tensor noise = isNone ? zeros_like(mean) : levels[target].sub(mean).Over(rule.Deviation);
            noises[step.Step] = noise.MoveToOuterDisposeScope();
            // What a sampler will hold; it differs from the level by rounding.
            if (target > 0)
                levels[target] = mean.Plus(noise.Times(rule.Deviation)).MoveToOuterDisposeScope();
            progress?.Report(new InversionProgress(Name, step.Step + 1, steps));
        }
        return new Walk
        {
            Levels = new PivotTrajectory(levels),
            Replay = new EditFriendlyReplay(stack(noises).Keep(), _options.Eta, _options.PublishedEta, (int)(_options.Skip * steps), _options.GuidanceScale),
        };
    }
}

/// <summary>DDPM sampling with given noise: that of <see cref="EditFriendlyPath"/>, which source and edited versions of an image share.</summary>
/// <param name="noises">[T, images, 4, H, W], step 0 (noisiest) first; owned from now on.</param>
/// <param name="eta">Share of the variance.</param>
/// <param name="publishedEta">The released code's direction term.</param>
/// <param name="firstStep">First step to run.</param>
/// <param name="sourceGuidance">w of source rows.</param>
public sealed class EditFriendlyReplay(Tensor noises, double eta, bool publishedEta, int firstStep, double sourceGuidance) : IReplay
{
    private readonly UseGate _gate = new(nameof(EditFriendlyReplay));

    /// <inheritdoc/>
    public int FirstStep => firstStep;

    /// <inheritdoc/>
    public double? SourceGuidance => sourceGuidance;

    /// <summary>[T, images, 4, H, W]; borrow it.</summary>
    public Tensor Noises => _gate.Alive(noises);

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            EditFriendlyOptions.PathId,
            new Dictionary<string, double>
            {
                ["eta"] = eta,
                ["published_eta"] = publishedEta ? 1 : 0,
                ["first_step"] = firstStep,
                ["source_guidance"] = sourceGuidance,
            },
            new Dictionary<string, Tensor> { ["noises"] = Noises }
        );

    /// <summary>Makes it from what was kept.</summary>
    public static EditFriendlyReplay Restore(ReplayData data) =>
        new(data.Tensor("noises"), data.Number("eta"), data.Number("published_eta") != 0, (int)data.Number("first_step"), data.Number("source_guidance"));

    /// <summary>By how much the latents after a step change with the noise prediction.</summary>
    internal double NoiseFactor(DiffusionStep step) => Rule.Of(step, eta, publishedEta).NoiseFactor;

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        return new LatentState(
            Lifetime.Scoped(() =>
            {
                Rule rule = Rule.Of(step, eta, publishedEta);
                Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: noises.device);
                Tensor own = noises.select(0, step.Step).index_select(0, images);
                return rule.Mean(state.Latents, noise(state.Latents)).Plus(own.Times(rule.Deviation));
            })
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Close(noises.Dispose);

    /// <summary>One stochastic DDIM step: mean and standard deviation of the next latents.</summary>
    internal readonly record struct Rule(double Signal, double Noise, double NextSignal, double Direction, double Deviation)
    {
        /// <summary>The factor of the noise prediction in <see cref="Mean"/>.</summary>
        public double NoiseFactor => Direction - (NextSignal * Noise / Signal);

        /// <summary>Song et al. 2020, eq. (16), with v the variance of DDPM.</summary>
        public static Rule Of(DiffusionStep step, double eta, bool publishedEta)
        {
            double a = step.Noisy.Value,
                next = step.Clean.Value;
            double variance = (1 - next) / (1 - a) * (1 - (a / next));
            double taken = publishedEta ? eta * variance : eta * eta * variance;
            return new Rule(Math.Sqrt(a), Math.Sqrt(1 - a), Math.Sqrt(next), Math.Sqrt(Math.Max(0, 1 - next - taken)), eta * Math.Sqrt(variance));
        }

        public Tensor Mean(Tensor latents, Tensor prediction)
        {
            Rule own = this;
            return Lifetime.Scoped(() =>
            {
                Tensor clean = latents.sub(prediction.Times(own.Noise)).Over(own.Signal);
                return clean.Times(own.NextSignal).Plus(prediction.Times(own.Direction));
            });
        }
    }
}
