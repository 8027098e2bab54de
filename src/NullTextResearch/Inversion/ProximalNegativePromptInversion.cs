using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>What becomes of the difference between the two predictions of classifier-free guidance.</summary>
public enum ProximalRule
{
    /// <summary>Values up to the threshold become 0, larger ones stay: the proximal map of the l0 penalty.</summary>
    Hard,

    /// <summary>All values move towards 0 by the threshold, and stop there: the proximal map of the l1 penalty.</summary>
    Soft,
}

/// <summary>Options of <see cref="ProximalNegativePromptInversion"/>; defaults are the published numbers, with the formulas put right.</summary>
public sealed record ProximalOptions
{
    /// <summary>How the start latents are found.</summary>
    public PathOptions Inversion { get; init; } = new DdimInversionOptions();

    /// <summary>What becomes of the difference of the predictions (default: small values go, large ones stay).</summary>
    public ProximalRule Rule { get; init; } = ProximalRule.Hard;

    /// <summary>
    /// Share of the values of a row that lie below its threshold, 0 to 1 (default 0.5). The released code takes 0.75 of source and target together;
    /// as the source's values are all 0, that is about half of the target's.
    /// </summary>
    public double Quantile { get; init; } = 0.5;

    /// <summary>A threshold for all steps in place of <see cref="Quantile"/>, 0 or more; null (default) for the quantile.</summary>
    public double? Threshold { get; init; }

    /// <summary>
    /// The released code takes one quantile of an image and its edited versions together, so that it means something else with every version more.
    /// Off by default: each row has its own.
    /// </summary>
    public bool SharedThreshold { get; init; }

    /// <summary>Share of the way back that latents outside the edited places are pulled at a step, 0 to 1 (default 1).</summary>
    public double Pull { get; init; } = 1;

    /// <summary>Pull at timesteps below this share of all, 0 to 1; null for no such steps (default 0.4, the published 400 of 1000).</summary>
    public double? PullBelow { get; init; } = 0.4;

    /// <summary>Pull at timesteps above this share of all, 0 to 1; null (default) for no such steps.</summary>
    public double? PullAbove { get; init; }

    /// <summary>Pull latents after a step to the latents of the inversion (default true).</summary>
    public bool PullsToPivot { get; init; } = true;

    /// <summary>Pull the predicted clean latents within a step to those of the image; the predicted noise stays as it was (default false).</summary>
    public bool PullsToImage { get; init; }

    /// <summary>By how many pixels of the latents the edited places are widened before the pull, 0 or more (default 1).</summary>
    public int Dilate { get; init; } = 1;

    /// <summary>
    /// The released code shrinks one time too often: its hard rule is the soft one, its soft rule shrinks once more, positive and negative values
    /// differently; and what counts as edited is asked of the shrunk difference. Off by default.
    /// </summary>
    public bool PublishedShrinking { get; init; }

    internal IEnumerable<string> Problems()
    {
        foreach ((string name, double? share) in Shares())
        {
            if (share is { } value && !(value is >= 0 and <= 1))
                yield return FormattableString.Invariant($"{name} is {value}; it must lie in [0, 1].");
        }
        if (Threshold is { } threshold && !(threshold >= 0 && double.IsFinite(threshold)))
            yield return FormattableString.Invariant($"Threshold is {threshold}; it must be 0 or more, and finite.");
        if (Dilate < 0)
            yield return FormattableString.Invariant($"Dilate is {Dilate}; it must be 0 or more.");
        foreach (string problem in Inversion.Problems())
            yield return problem;
    }

    private (string Name, double? Share)[] Shares() =>
        [(nameof(Quantile), Quantile), (nameof(Pull), Pull), (nameof(PullBelow), PullBelow), (nameof(PullAbove), PullAbove)];
}

/// <summary>
/// Negative-prompt inversion whose guidance is kept sparse: where prompt and source prompt hardly disagree, the edit is left out, and latents are
/// pulled back to those of the inversion. No optimisation. Han et al. 2024 (arXiv 2306.05414).
/// </summary>
/// <param name="options">Options; null for the defaults.</param>
public sealed class ProximalNegativePromptInversion(ProximalOptions? options = null) : IInversion
{
    private readonly ProximalOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "proximal negative-prompt inversion";

    /// <inheritdoc/>
    public object Options => _options;

    /// <inheritdoc/>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        OptionProblems.ThrowIfAny(nameof(ProximalOptions), _options.Problems());
        InversionMeter meter = new(problem.Predictor, problem.Images);
        PivotTrajectory pivot = _options.Inversion.ClimbPlain(problem with { Predictor = meter }, Name, progress, cancellation);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor targets = stack([.. problem.Grid.Moves.Select(pivot.TargetOf)]);
        return new InversionResult
        {
            Method = Name,
            GuidanceScale = problem.GuidanceScale,
            StartLatents = pivot.Noisiest.Snapshot(),
            Conditional = StepEmbeddings.Constant(problem.Conditional),
            Unconditional = StepEmbeddings.Constant(problem.Conditional),
            Replay = new ProximalReplay(targets.Keep(), _options, problem.Grid.Schedule.TrainTimesteps),
            Pivot = pivot,
            EvaluationsPerImage = meter.ForwardsPerImage,
            BackwardsPerImage = meter.BackwardsPerImage,
            Elapsed = meter.Elapsed,
            Options = _options,
        };
    }
}

/// <summary>DDIM sampling with the sparse guidance of <see cref="ProximalNegativePromptInversion"/>, and its pull to the inversion's latents.</summary>
/// <remarks>
/// Rows of the image itself are never guided: their prompt is what they are guided away from, and what differs is rounding. Without guidance (scale 1)
/// nothing is known of where an edit is; then only those rows are pulled.
/// </remarks>
/// <param name="targets">Latents of the inversion that each step should end at, [T, images, 4, H, W], step 0 (noisiest) first; owned from now on.</param>
/// <param name="options">Options; their path is not used.</param>
/// <param name="trainTimesteps">Network timesteps, which shares of them are of.</param>
public sealed class ProximalReplay(Tensor targets, ProximalOptions options, int trainTimesteps) : IReplay
{
    /// <summary>Name in files.</summary>
    public const string Kind = "proximal";

    // Threads may sample from one result at a time, and each looks for the difference of its own step.
    private readonly ThreadLocal<Found?> _found = new();
    private readonly UseGate _gate = new(nameof(ProximalReplay));

    /// <summary>[T, images, 4, H, W]; borrow it.</summary>
    public Tensor Targets => _gate.Alive(targets);

    /// <summary>Sees the threshold of each row at a step, [rows, 1, 1, 1], borrowed; null costs nothing.</summary>
    public Action<DiffusionStep, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            Kind,
            new Dictionary<string, double>
            {
                ["rule"] = (int)options.Rule,
                ["quantile"] = options.Quantile,
                ["threshold"] = options.Threshold ?? -1,
                ["shared_threshold"] = options.SharedThreshold ? 1 : 0,
                ["pull"] = options.Pull,
                ["pull_below"] = options.PullBelow ?? -1,
                ["pull_above"] = options.PullAbove ?? -1,
                ["pulls_to_pivot"] = options.PullsToPivot ? 1 : 0,
                ["pulls_to_image"] = options.PullsToImage ? 1 : 0,
                ["dilate"] = options.Dilate,
                ["published_shrinking"] = options.PublishedShrinking ? 1 : 0,
                ["train_timesteps"] = trainTimesteps,
            },
            new Dictionary<string, Tensor> { ["targets"] = Targets }
        );

    /// <summary>Makes it from what was kept.</summary>
    public static ProximalReplay Restore(ReplayData data)
    {
        return new ProximalReplay(
            data.Tensor("targets"),
            new ProximalOptions
            {
                Rule = (ProximalRule)(int)data.Number("rule"),
                Quantile = data.Number("quantile"),
                Threshold = Known("threshold"),
                SharedThreshold = Is("shared_threshold"),
                Pull = data.Number("pull"),
                PullBelow = Known("pull_below"),
                PullAbove = Known("pull_above"),
                PullsToPivot = Is("pulls_to_pivot"),
                PullsToImage = Is("pulls_to_image"),
                Dilate = (int)data.Number("dilate"),
                PublishedShrinking = Is("published_shrinking"),
            },
            (int)data.Number("train_timesteps")
        );

        bool Is(string name) => data.Number(name) != 0;

        double? Known(string name) => data.Number(name) is >= 0 and double value ? value : null;
    }

    /// <inheritdoc/>
    public Tensor Guide(Tensor unconditional, Tensor conditional, IReadOnlyList<double> guidanceScales, DiffusionStep step, BatchLayout rows) =>
        Lifetime.Scoped(() =>
        {
            Tensor isEdited = tensor(rows.Rows.Select(r => !r.IsSource).ToArray(), device: conditional.device).view(-1, 1, 1, 1);
            Tensor difference = conditional.sub(unconditional).mul(isEdited.to(conditional.dtype));
            Tensor threshold = ThresholdOf(difference, rows);
            Observer?.Invoke(step, threshold);
            Tensor isLarge = difference.abs().sub(threshold).Above(0);
            Tensor kept = options switch
            {
                { Rule: ProximalRule.Hard, PublishedShrinking: false } => difference.mul(isLarge.to(difference.dtype)),
                { Rule: ProximalRule.Soft, PublishedShrinking: true } => Twice(Shrunk(difference, threshold), threshold),
                _ => Shrunk(difference, threshold),
            };
            if (_found.Value is { } found)
            {
                found.Mask?.Dispose();
                found.Mask = (options.PublishedShrinking ? kept.abs().sub(threshold).Above(0) : isLarge).to(difference.dtype, copy: true).Keep();
            }
            Tensor scales = tensor(guidanceScales.ToArray(), dtype: kept.dtype, device: kept.device).view(-1, 1, 1, 1);
            return unconditional.Plus(kept.mul(scales));
        });

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        Found found = new();
        _found.Value = found;
        try
        {
            return new LatentState(Lifetime.Scoped(() => Moved(state.Latents, step, noise(state.Latents), rows, found)));
        }
        finally
        {
            _found.Value = null;
            found.Mask?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _gate.Close(() =>
        {
            targets.Dispose();
            _found.Dispose();
        });

    private Tensor Moved(Tensor latents, DiffusionStep step, Tensor noise, BatchLayout rows, Found found)
    {
        bool isLate = step.Timestep < options.PullBelow * trainTimesteps || step.Timestep > options.PullAbove * trainTimesteps;
        if (!isLate || options.Pull == 0 || !(options.PullsToPivot || options.PullsToImage))
            return Ddim.Move(latents, noise, step.Noisy, step.Clean);
        Tensor share = Kept(latents, rows, found).OneMinus().Times(options.Pull);
        Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: targets.device);
        double from = step.Noisy.Value,
            to = step.Clean.Value;
        Tensor clean = latents.sub(noise.Times(Math.Sqrt(1 - from))).Over(Math.Sqrt(from));
        if (options.PullsToImage)
            clean = clean.sub(clean.sub(OfRows(targets.shape[0] - 1)).mul(share));
        Tensor moved = clean.Times(Math.Sqrt(to)).Plus(noise.Times(Math.Sqrt(1 - to)));
        return options.PullsToPivot ? moved.sub(moved.sub(OfRows(step.Step)).mul(share)) : moved;

        Tensor OfRows(long index) => targets.select(0, index).index_select(0, images);
    }

    /// <summary>1 where a row is edited and keeps what it has, 0 where it is pulled; [rows, 4, H, W].</summary>
    private Tensor Kept(Tensor latents, BatchLayout rows, Found found)
    {
        if (found.Mask is not { } mask)
            return tensor(rows.Rows.Select(r => !r.IsSource).ToArray(), device: latents.device).view(-1, 1, 1, 1).to(latents.dtype).expand(latents.shape);
        return options.Dilate == 0 ? mask : nn.functional.max_pool2d(mask, (2 * options.Dilate) + 1, stride: 1, padding: options.Dilate);
    }

    private Tensor ThresholdOf(Tensor difference, BatchLayout rows)
    {
        if (options.Threshold is { } given)
            return tensor(Enumerable.Repeat(given, rows.Count).ToArray(), dtype: difference.dtype, device: difference.device).view(-1, 1, 1, 1);
        Tensor sizes = difference.abs().flatten(1),
            share = tensor(new[] { options.Quantile }, dtype: difference.dtype, device: difference.device);
        if (!options.SharedThreshold)
            return sizes.quantile(share, 1).view(-1, 1, 1, 1);
        Tensor[] perRow = new Tensor[rows.Count];
        foreach (int image in rows.Rows.Select(r => r.Image).Distinct())
        {
            int[] own = [.. Enumerable.Range(0, rows.Count).Where(r => rows[r].Image == image)];
            Tensor one = cat([.. own.Select(r => sizes.select(0, r))]).quantile(share, 0);
            foreach (int row in own)
                perRow[row] = one;
        }
        return cat(perRow).view(-1, 1, 1, 1);
    }

    private static Tensor Shrunk(Tensor difference, Tensor threshold) => difference.sign().mul(difference.abs().sub(threshold).AtLeast(0));

    /// <summary>Down where above the threshold, then up where the result is below 0: the released code's two lines.</summary>
    private static Tensor Twice(Tensor shrunk, Tensor threshold)
    {
        Tensor down = where(shrunk.sub(threshold).Above(0), shrunk.sub(threshold), shrunk);
        return where(down.Below(0), down.Plus(threshold), down);
    }

    /// <summary>What one step found out on its way.</summary>
    private sealed class Found
    {
        public Tensor? Mask { get; set; }
    }
}
