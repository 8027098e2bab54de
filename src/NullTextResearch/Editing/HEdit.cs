using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// h-Edit: every step is a step of the reconstruction, with the image's own noise, which is then corrected along the difference between the predictions for the
/// target and the source prompt. Nguyen et al. 2025 (arXiv 2503.02187).
/// </summary>
/// <remarks>
/// After edit-friendly inversion, the step uses that inversion's noise (the paper's h-Edit-R). After an inversion with plain DDIM moves, it is shifted by the
/// distance of the image's own branch from its pivot (h-Edit-D).
/// </remarks>
public sealed class HEdit : INetworkHook, IEditDirector
{
    private readonly HEditOptions _options;
    private readonly EditProblem _problem;
    private readonly BatchLayout _rows;
    private readonly int[] _targets;
    private readonly long[] _images;
    private readonly EditFriendlyReplay? _random;
    private readonly PromptToPromptProcessor? _attention;
    private readonly double _sourceGuidance;
    private readonly int _first;
    private bool _isControlled;
    private int _passes;
    private Tensor? _correction;

    internal HEdit(HEditOptions options, EditProblem problem)
    {
        Check(options);
        _random = problem.Inversion.Replay as EditFriendlyReplay;
        if (_random is null && (problem.Inversion.Pivot is null || problem.Inversion.Replay is not (DdimReplay or OffsetReplay)))
            throw new ArgumentException(
                $"h-Edit needs an edit-friendly inversion, or one that keeps its pivot and samples by plain DDIM moves; '{problem.Inversion.Method}' is "
                    + "neither. Invert with edit-friendly, ddim, direct or null-text, for example."
            );
        (_options, _problem) = (options, problem);
        _rows = BatchLayout.Branches(problem.Edits.Select(e => e.Targets.Count));
        _targets = [.. Enumerable.Range(0, _rows.Count).Where(r => !_rows[r].IsSource)];
        _images = [.. _rows.Rows.Select(r => (long)r.Image)];
        _first = _random?.FirstStep ?? (int)(options.Skip * problem.Grid.Steps);
        _sourceGuidance = _random?.SourceGuidance ?? options.SourceGuidance;
        _attention = (PromptToPromptProcessor?)options.PromptToPrompt?.Direct(problem);
    }

    /// <inheritdoc/>
    public bool TouchesUnconditional => false;

    /// <inheritdoc/>
    public SamplingPlan Plan(SamplingPlan plan, INoisePredictor network)
    {
        if (_random is not null)
            return plan;
        PivotTrajectory pivot = _problem.Inversion.Pivot!;
        using Tensor images = tensor(_images, device: plan.StartLatents.device);
        return plan with { FirstStep = _first, StartLatents = pivot[_problem.Grid.Steps - _first].index_select(0, images), Replay = new AlongPivot(pivot) };
    }

    /// <inheritdoc/>
    public Tensor Before(EditStep at, Tensor latents)
    {
        // An implicit correction is made at the end of a step; that of the last skipped step would have been made here. One round is enough: the latents are
        // still the image's own, so there is nothing to pull back.
        bool isStart = at.Step.Step == _first && _first > 0;
        return isStart && _options.Implicit && _attention is null
            ? Lifetime.Scoped(() => Corrected(at, latents, _problem.Grid.Moves[_first - 1], rounds: 1))
            : latents;
    }

    /// <inheritdoc/>
    public Tensor Predict(EditStep at, Tensor latents) =>
        Lifetime.Scoped(() =>
        {
            int step = at.Step.Step;
            int[] all = [.. Enumerable.Range(0, _rows.Count)];
            Tensor source = Plain(at, at.Step, latents, SourcePrompts(at, step, all), all);
            if (!_options.Implicit)
            {
                _correction?.Dispose();
                _correction = Correction(at, at.Step, step, latents, Take(source, _targets)).Keep();
            }
            Tensor guided = source;
            if (_sourceGuidance != 1)
            {
                Tensor without = Plain(at, at.Step, latents, at.Plan.Unconditional!.At(step), all, isConditional: false);
                guided = Guidance.Combine(without, source, _sourceGuidance);
            }
            if (!_options.PublishedSourceRow || _random is null || _attention is not null)
                return guided;
            return Take(guided, [.. all.Select(r => _rows[r].IsSource ? _rows.IndexOf(_rows[r] with { Branch = 1 }) : r)]);
        });

    /// <inheritdoc/>
    public Tensor After(EditStep at, Tensor latents)
    {
        Tensor corrected = Lifetime.Scoped(() =>
            _options.Implicit
                ? Corrected(at, latents, at.Step, _options.Rounds)
                : Joined(latents, Take(latents, _targets).Plus(_correction!.Times(Factor(at.Step))))
        );
        return _attention?.After(at, corrected) ?? corrected;
    }

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        if (!_isControlled)
            return FusedAttention.Instance.Attend(call, query, key, value);
        AttentionCall at = _options.PublishedWindows ? call with { Step = Math.Min(_passes, _problem.Grid.Steps - 1) } : call;
        return _attention!.Attend(at, query, key, value);
    }

    /// <inheritdoc/>
    public IReadOnlyList<IReadOnlyList<BlendMask?>> Masks(IReadOnlyList<ImageEdit> edits, long height, long width) =>
        _attention?.Masks(height, width) ?? [.. edits.Select(e => (IReadOnlyList<BlendMask?>)[.. e.Targets.Select(_ => (BlendMask?)null)])];

    /// <inheritdoc/>
    public AttentionStore? TakeMaps() => _attention?.TakeMaps();

    /// <inheritdoc/>
    public void Dispose()
    {
        _correction?.Dispose();
        _attention?.Dispose();
    }

    private static void Check(HEditOptions options)
    {
        List<string> problems = [];
        if (options.Rounds < 1)
            problems.Add($"Rounds is {options.Rounds}; at least one correction is needed.");
        if (!(options.ReconstructionWeight >= 0 && double.IsFinite(options.ReconstructionWeight)))
            problems.Add(FormattableString.Invariant($"ReconstructionWeight is {options.ReconstructionWeight}; it must be 0 or more, and finite."));
        if (!(options.Skip is >= 0 and < 1))
            problems.Add(FormattableString.Invariant($"Skip is {options.Skip}; it must lie in [0, 1)."));
        if (!double.IsFinite(options.SourceGuidance) || !double.IsFinite(options.RemovedGuidance))
            problems.Add(
                FormattableString.Invariant($"SourceGuidance is {options.SourceGuidance}, RemovedGuidance {options.RemovedGuidance}; both must be finite.")
            );
        OptionProblems.ThrowIfAny(nameof(HEditOptions), problems);
    }

    /// <summary>The factor of the noise prediction in a step.</summary>
    private double Factor(DiffusionStep move) => _random?.NoiseFactor(move) ?? Ddim.NoiseCoefficient(move.Noisy, move.Clean);

    /// <summary>Latents at the end of a move, with those of the targets corrected; a new tensor.</summary>
    private Tensor Corrected(EditStep at, Tensor latents, DiffusionStep move, int rounds)
    {
        TimestepGrid grid = _problem.Grid;
        int embedding = Math.Min(move.Step + 1, grid.Steps - 1);
        // The network sees the end of the move; attention is exchanged as in the current step.
        DiffusionStep there = new(at.Step.Step, grid.CleanTimestep(move.Step), move.Clean, grid.Moves[embedding].Clean);
        double factor = Factor(move);
        Tensor start = Take(latents, _targets),
            own = start;
        for (int round = 0; round < rounds; round++)
        {
            Tensor all = round == 0 ? latents : Joined(latents, own);
            Tensor correction = Correction(at, there, embedding, all, null);
            if (round > 0)
                own = own.sub(Pull(own, start, correction));
            own = own.Plus(correction.Times(factor));
        }
        return Joined(latents, own);
    }

    /// <summary>A descent step on the mean absolute difference from the uncorrected latents, whose length is the given share of the correction.</summary>
    private Tensor Pull(Tensor own, Tensor start, Tensor correction)
    {
        Tensor gradient = own.sub(start).sign().Over(start[0].NumberOfElements);
        Tensor length = Rms(correction).Times(_options.ReconstructionWeight).div(Rms(gradient).Plus(1e-8));
        return gradient.mul(length);

        static Tensor Rms(Tensor rows) => rows.Squared().flatten(1).mean([1L]).sqrt().view(-1, 1, 1, 1);
    }

    /// <summary>Prediction for the target prompt minus that for the source prompt, each with its guidance; [targets, 4, H, W].</summary>
    private Tensor Correction(EditStep at, DiffusionStep told, int embedding, Tensor latents, Tensor? source)
    {
        Conditioning unconditional = at.Plan.Unconditional!.At(embedding),
            prompts = at.Plan.Conditional.At(embedding);
        Tensor own = Take(latents, _targets);
        Conditioning sourcePrompts = SourcePrompts(at, embedding, _targets);
        Tensor without,
            target;
        if (_attention is null)
        {
            without = Plain(at, told, own, Take(unconditional, _targets), _targets, isConditional: false);
            target = Plain(at, told, own, Take(prompts, _targets), _targets);
        }
        else
        {
            (Tensor allWithout, Tensor allTarget) = Controlled(at, told, latents, prompts, unconditional);
            (without, target) = (Take(allWithout, _targets), Take(allTarget, _targets));
        }
        source ??= Plain(at, told, own, sourcePrompts, _targets);
        return target.sub(without).Times(at.Plan.GuidanceScale).sub(source.sub(without).Times(_options.RemovedGuidance));
    }

    /// <summary>Both predictions of all rows, with the targets' attention taken from their sources.</summary>
    private (Tensor Unconditional, Tensor Conditional) Controlled(
        EditStep at,
        DiffusionStep told,
        Tensor latents,
        Conditioning prompts,
        Conditioning unconditional
    )
    {
        _isControlled = true;
        try
        {
            return Guidance.PredictBoth(at.Network, latents, told, prompts with { Rows = _rows }, unconditional);
        }
        finally
        {
            _isControlled = false;
            _passes++;
        }
    }

    private Tensor Plain(EditStep at, DiffusionStep told, Tensor latents, Conditioning prompts, int[] rows, bool isConditional = true) =>
        at.Network.Predict(latents, told, prompts with { Rows = new BatchLayout(rows.Select(r => _rows[r] with { IsConditional = isConditional })) });

    /// <summary>The source prompts of the given rows.</summary>
    private Conditioning SourcePrompts(EditStep at, int embedding, int[] rows) =>
        Take(at.Plan.Conditional.At(embedding), [.. rows.Select(r => _rows.IndexOf(_rows[r] with { Branch = 0 }))]);

    private static Conditioning Take(Conditioning condition, int[] rows)
    {
        using Tensor index = torch.tensor(rows.Select(r => (long)r).ToArray(), device: condition.Tokens.device);
        return condition.Select(index);
    }

    private static Tensor Take(Tensor tensor, int[] rows)
    {
        using Tensor index = torch.tensor(rows.Select(r => (long)r).ToArray(), device: tensor.device);
        return tensor.index_select(0, index);
    }

    /// <summary>All rows, with the target rows replaced.</summary>
    private Tensor Joined(Tensor all, Tensor targets)
    {
        Tensor[] rows = [.. all.split(1, 0)];
        for (int i = 0; i < _targets.Length; i++)
            rows[_targets[i]] = targets.narrow(0, i, 1);
        return cat(rows, 0);
    }

    /// <summary>DDIM moves of all rows of an image, each shifted by the offset that puts the image's own row on the pivot.</summary>
    private sealed class AlongPivot(PivotTrajectory pivot) : IReplay
    {
        public ReplayData Data => ReplayData.Empty("along-pivot");

        public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows) =>
            new(
                Lifetime.Scoped(() =>
                {
                    Tensor moved = Ddim.Move(state.Latents, noise(state.Latents), step.Noisy, step.Clean);
                    int[] images = [.. rows.Rows.Select(r => r.Image)],
                        sources = [.. rows.Rows.Select(r => rows.IndexOf(r with { Branch = 0 }))];
                    return moved.Plus(Take(pivot.TargetOf(step), images).sub(Take(moved, sources)));
                })
            );

        public void Dispose() { }
    }
}
