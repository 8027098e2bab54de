using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// DiffEdit: samples with the target prompt where the noise predictions of the two prompts differ most; elsewhere it resets the latents to the inversion after
/// each step. Couairon et al. 2023 (arXiv 2210.11427).
/// </summary>
/// <remarks>The mask needs no guidance: guidance would only scale the difference of the predictions, which is compared with its own mean.</remarks>
public sealed class DiffEdit : IEditDirector
{
    // Two runs of a network differ by less than this share of its predictions: equal prompts must not produce a mask of rounding errors.
    private const double Rounding = 1e-4;

    private readonly DiffEditOptions _options;
    private readonly EditProblem _problem;
    private readonly PivotTrajectory _pivot;
    private readonly int _first;
    private BatchLayout? _rows;
    private Tensor? _mask;

    internal DiffEdit(DiffEditOptions options, EditProblem problem)
    {
        foreach (
            (string name, double share) in ((string, double)[])
                [(nameof(options.Strength), options.Strength), (nameof(options.MaskStrength), options.MaskStrength)]
        )
        {
            if (!(share is > 0 and <= 1))
                throw new ArgumentException(FormattableString.Invariant($"{name} is {share}; it must be above 0 and at most 1."));
        }
        if (options.Maps < 1)
            throw new ArgumentException($"Maps is {options.Maps}; it must be at least 1.");
        if (!(options.ClipRatio > 0 && double.IsFinite(options.ClipRatio)))
            throw new ArgumentException(FormattableString.Invariant($"ClipRatio is {options.ClipRatio}; it must be above 0 and finite."));
        if (!(options.Threshold is >= 0 and < 1))
            throw new ArgumentException(FormattableString.Invariant($"Threshold is {options.Threshold}; it must lie in [0, 1)."));
        int steps = problem.Grid.Steps;
        _first = steps - (int)(options.Strength * steps);
        if (_first == steps)
            throw new ArgumentException(
                FormattableString.Invariant($"Strength {options.Strength} of {steps} steps is less than one step, so nothing would be edited.")
            );
        _pivot =
            problem.Inversion.Pivot
            ?? throw new ArgumentException(
                $"DiffEdit takes the background from every step of the inversion, but '{problem.Inversion.Method}' keeps no intermediate latents. Invert "
                    + "with a method that has a pivot, such as DDIM or null-text inversion."
            );
        if (problem.Inversion.Replay is not (DdimReplay or OffsetReplay))
            throw new ArgumentException(
                $"DiffEdit samples from the inversion's latents by plain DDIM moves, but '{problem.Inversion.Method}' has its own sampler. Invert "
                    + "with DDIM, fixed-point or direct inversion."
            );
        (_options, _problem) = (options, problem);
    }

    /// <summary>Noise samples for the mask, [maps, 4, H, W]; borrowed. Null draws them.</summary>
    public Tensor? Noise { get; init; }

    /// <summary>
    /// Receives the mean difference between each row's prediction and its source's, [rows, H, W], and the resulting masks, [rows, 1, H, W]; both are borrowed.
    /// Null to disable.
    /// </summary>
    public Action<Tensor, Tensor>? MaskObserver { get; init; }

    /// <inheritdoc/>
    public SamplingPlan Plan(SamplingPlan plan, INoisePredictor network)
    {
        _rows = plan.Rows!;
        _mask = Lifetime.Scoped(() => Mask(plan, network)).Keep();
        return plan with { StartLatents = OfRows(_pivot[_problem.Grid.Steps - _first]), FirstStep = _first, Replay = DdimReplay.Instance };
    }

    /// <inheritdoc/>
    /// <remarks>Source rows are reset to the inversion after the step, so the network does not predict them.</remarks>
    public Tensor Predict(EditStep at, Tensor latents) =>
        Lifetime.Scoped(() =>
        {
            (INoisePredictor network, SamplingPlan plan, DiffusionStep step) = at;
            BatchLayout rows = plan.Rows!;
            int[] targets = [.. Enumerable.Range(0, rows.Count).Where(r => !rows[r].IsSource)];
            Tensor index = Index(targets);
            Tensor own = latents.index_select(0, index);
            Conditioning condition = plan.Conditional.At(step.Step).Select(index) with { Rows = rows.Select(targets) };
            Tensor noise =
                plan.GuidanceScale == 1
                    ? network.Predict(own, step, condition)
                    : Guidance.Predict(network, own, step, condition, plan.Unconditional!.At(step.Step).Select(index), plan.GuidanceScale);
            return zeros_like(latents).index_copy(0, index, noise);
        });

    /// <inheritdoc/>
    public Tensor After(EditStep at, Tensor latents) =>
        Lifetime.Scoped(() =>
        {
            Tensor background = OfRows(_pivot.TargetOf(at.Step));
            if (_options.PublishedBackground)
            {
                Tensor isSource = tensor(_rows!.Rows.Select(r => r.IsSource).ToArray(), device: latents.device).view(-1, 1, 1, 1);
                background = where(isSource, background, OfRows(_pivot[_problem.Grid.Steps - at.Step.Step]));
            }
            return where(_mask!, latents, background);
        });

    /// <inheritdoc/>
    public IReadOnlyList<IReadOnlyList<BlendMask?>> Masks(IReadOnlyList<ImageEdit> edits, long height, long width)
    {
        return [.. edits.Select((e, image) => (IReadOnlyList<BlendMask?>)[.. Enumerable.Range(1, e.Targets.Count).Select(branch => Of(image, branch))])];

        BlendMask Of(int image, int branch)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor both = _mask!.narrow(0, _rows!.IndexOf(new BatchRow(image, branch)), 1).expand(2, 1, height, width);
            return new BlendMask(both.Snapshot(), null, both.Snapshot());
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _mask?.Dispose();

    /// <summary>Mask of where each row may change, [rows, 1, H, W]; empty for source rows.</summary>
    private Tensor Mask(SamplingPlan plan, INoisePredictor network)
    {
        int steps = _problem.Grid.Steps;
        // Less than one step of noise would leave nothing to compare.
        DiffusionStep step = _problem.Grid.Moves[steps - Math.Max(1, (int)(_options.MaskStrength * steps))];
        Tensor clean = OfRows(_pivot.Clean),
            sourceOf = Index([.. _rows!.Rows.Select(r => _rows.IndexOf(r with { Branch = 0 }))]);
        Tensor noises = Noise ?? Seeds.Normal(_options.Seed, [_options.Maps, .. clean.shape[1..]], clean);
        Conditioning condition = plan.Conditional.At(step.Step) with { Rows = _rows };
        List<Tensor> differences = [],
            sizes = [];
        for (int k = 0; k < noises.shape[0]; k++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor noisy = NoiseSchedule.AddNoise(clean, noises.narrow(0, k, 1).expand(clean.shape), step.Noisy);
            Tensor noise = network.Predict(noisy, step, condition);
            Tensor source = noise.index_select(0, sourceOf);
            differences.Add(noise.sub(source).abs().mean([1L]).MoveToOuterDisposeScope());
            sizes.Add(source.abs().mean([1L, 2, 3]).MoveToOuterDisposeScope());
        }
        Tensor map = stack(differences).mean([0L]);
        Tensor most = map.mean([1L, 2], keepdim: true).Times(_options.ClipRatio);
        Tensor clipped = minimum(map, most);
        Tensor low = _options.PublishedScale ? zeros_like(most) : clipped.amin([1L, 2], keepdim: true),
            high = _options.PublishedScale ? most : clipped.amax([1L, 2], keepdim: true);
        Tensor isAny = high.gt(stack(sizes).mean([0L]).Times(Rounding).view(-1, 1, 1));
        Tensor mask = clipped.sub(low).div(high.sub(low)).Above(_options.Threshold).logical_and(isAny).unsqueeze(1);
        MaskObserver?.Invoke(map, mask);
        return mask;
    }

    /// <summary>Repeats each image's tensor for each of its rows; owned by the caller's dispose scope.</summary>
    private Tensor OfRows(Tensor images) => Lifetime.Scoped(() => images.index_select(0, Index([.. _rows!.Rows.Select(r => r.Image)])));

    private Tensor Index(int[] rows) => tensor(rows.Select(r => (long)r).ToArray(), device: _pivot.Clean.device);
}
