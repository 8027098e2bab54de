using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>DDIM sampling with the sparse guidance of <see cref="ProximalNegativePromptInversion"/>, and its pull to the inversion's latents.</summary>
/// <remarks>
/// Source rows are never guided: their prompt is also the negative prompt, so the two predictions differ only by rounding. Without guidance (scale 1) the
/// location of an edit is unknown; then only source rows are pulled.
/// </remarks>
/// <param name="targets">Latents of the inversion that each step should end at, [T, images, 4, H, W], step 0 (noisiest) first; owned by this object.</param>
/// <param name="options">Options; their path is ignored.</param>
/// <param name="trainTimesteps">Number of network timesteps, to which the shares of timesteps refer.</param>
public sealed class ProximalReplay(Tensor targets, ProximalOptions options, int trainTimesteps) : IReplay
{
    /// <summary>Name in files.</summary>
    public const string Kind = "proximal";

    // Several threads may sample from one result at the same time; each needs the difference of its own step.
    private readonly ThreadLocal<Found?> _found = new();
    private readonly UseGate _gate = new(nameof(ProximalReplay));

    /// <summary>[T, images, 4, H, W]; borrowed.</summary>
    public Tensor Targets => _gate.Alive(targets);

    /// <summary>Receives the threshold of each row at a step, [rows, 1, 1, 1], borrowed; null to disable.</summary>
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

    /// <summary>Rebuilds it from stored data.</summary>
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
        Tensor clean = latents.sub(noise.Times(step.Noisy.Noise)).Over(step.Noisy.Signal);
        if (options.PullsToImage)
            clean = clean.sub(clean.sub(OfRows(targets.shape[0] - 1)).mul(share));
        Tensor moved = clean.Times(step.Clean.Signal).Plus(noise.Times(step.Clean.Noise));
        return options.PullsToPivot ? moved.sub(moved.sub(OfRows(step.Step)).mul(share)) : moved;

        Tensor OfRows(long index) => targets.select(0, index).index_select(0, images);
    }

    /// <summary>1 where a row is edited and keeps its value, 0 where it is pulled; [rows, 4, H, W].</summary>
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

    /// <summary>Intermediate result of one step.</summary>
    private sealed class Found
    {
        public Tensor? Mask { get; set; }
    }
}
