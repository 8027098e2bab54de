using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Options of <see cref="EdictPath"/>.</summary>
public sealed record EdictOptions : PathOptions
{
    /// <summary>Id in the catalogue.</summary>
    public const string PathId = "edict";

    /// <inheritdoc/>
    public override string Id => PathId;

    /// <summary>How much of a latent each mixing keeps, above 0.5 to 1 (default 0.93); 1 never mixes, and the pair drifts apart.</summary>
    public double Mix { get; init; } = 0.93;

    /// <summary>Share of the noise levels that are climbed, above 0 to 1 (default 1): less keeps more of the image in an edit.</summary>
    public double Strength { get; init; } = 1;

    /// <summary>w of the inversion, and of the source when sampling, finite (default 3).</summary>
    public double GuidanceScale { get; init; } = 3;

    /// <inheritdoc/>
    public override IPath Create() => new EdictPath(this);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Problems()
    {
        if (!(Mix is > 0.5 and <= 1))
            yield return FormattableString.Invariant($"Mix is {Mix}; it must lie above 0.5 and up to 1.");
        if (!(Strength is > 0 and <= 1))
            yield return FormattableString.Invariant($"Strength is {Strength}; it must lie above 0 and up to 1.");
        if (!double.IsFinite(GuidanceScale))
            yield return FormattableString.Invariant($"GuidanceScale is {GuidanceScale}; it must be finite.");
    }
}

/// <summary>
/// EDICT: two latents that climb together, each moved by the prediction made at the other, so that every move can be undone exactly. Wallace et al.
/// 2023 (arXiv 2211.12446).
/// </summary>
/// <remarks>The way back is exact up to rounding, which the mixing amplifies: use float64 to see it, float32 is exact to the eye.</remarks>
/// <param name="options">Options; null for the defaults.</param>
public sealed class EdictPath(EdictOptions? options = null) : IPath
{
    private readonly EdictOptions _options = options ?? new();

    /// <inheritdoc/>
    public string Name => "EDICT";

    /// <summary>Sees which latent of the pair was moved, 0 or 1, and where to, [B, 4, H, W], borrowed; null costs nothing.</summary>
    public Action<int, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        problem.Validate();
        _options.Validate();
        TimestepGrid grid = problem.Grid;
        int moves = (int)(_options.Strength * grid.Steps),
            first = grid.Steps - moves;
        double keep = _options.Mix;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        List<Tensor> levels = [problem.Latents.detach()];
        Tensor[] pair = [levels[0], levels[0]];
        for (int level = 0; level < moves; level++)
        {
            cancellation.ThrowIfCancellationRequested();
            DiffusionStep step = grid.Moves[grid.Steps - 1 - level];
            using DisposeScope inner = NewDisposeScope();
            Tensor before = pair[1];
            // Sampling will mix after both moves, so climbing un-mixes before them.
            pair[1] = Unmix(pair[1], pair[0]);
            pair[0] = Unmix(pair[0], pair[1]);
            int last = 1 - ((step.Step - first) % 2);
            foreach (int k in (int[])[last, 1 - last])
            {
                Tensor own = pair[k],
                    other = pair[1 - k];
                pair[k] = Lifetime.Scoped(() => Ddim.Move(own, problem.Predict(other, step, _options.GuidanceScale), step.Clean, step.Noisy));
                Observer?.Invoke(k, pair[k]);
            }
            levels.Add(pair[0].MoveToOuterDisposeScope());
            pair[1].MoveToOuterDisposeScope();
            // The first level is both latents; it is kept as a level.
            if (level > 0)
                before.Dispose();
            progress?.Report(new InversionProgress(Name, level + 1, moves));

            Tensor Unmix(Tensor own, Tensor other) => Lifetime.Scoped(() => own.sub(other.Times(1 - keep)).Over(keep));
        }
        // Levels above the last one are not climbed; the walk has one tensor for each all the same.
        Tensor top = levels[^1];
        return new Walk
        {
            Levels = new PivotTrajectory([.. levels, .. Enumerable.Repeat(top, first)]),
            Replay = new EdictReplay(pair[1].Snapshot(), keep, first, _options.GuidanceScale),
        };
    }
}

/// <summary>EDICT's way back: the state is a pair of latents.</summary>
/// <param name="second">The second latent of each image at the first step, [images, 4, H, W]; owned from now on.</param>
/// <param name="mix">How much of a latent each mixing keeps.</param>
/// <param name="firstStep">First step to run.</param>
/// <param name="sourceGuidance">w of source rows.</param>
public sealed class EdictReplay(Tensor second, double mix, int firstStep, double sourceGuidance) : IReplay
{
    private readonly UseGate _gate = new(nameof(EdictReplay));

    /// <inheritdoc/>
    public int FirstStep => firstStep;

    /// <inheritdoc/>
    public double? SourceGuidance => sourceGuidance;

    /// <summary>[images, 4, H, W]; borrow it.</summary>
    public Tensor Second => _gate.Alive(second);

    /// <summary>Sees which latent of the pair was moved, 0 or 1, and where to, borrowed; null costs nothing.</summary>
    public Action<int, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            EdictOptions.PathId,
            new Dictionary<string, double>
            {
                ["mix"] = mix,
                ["first_step"] = firstStep,
                ["source_guidance"] = sourceGuidance,
            },
            new Dictionary<string, Tensor> { ["second"] = Second }
        );

    /// <summary>Makes it from what was kept.</summary>
    public static EdictReplay Restore(ReplayData data) =>
        new(data.Tensor("second"), data.Number("mix"), (int)data.Number("first_step"), data.Number("source_guidance"));

    /// <inheritdoc/>
    public LatentState Start(Tensor latents, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        using Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: second.device);
        return new LatentState(latents.alias()) { More = [second.index_select(0, images)] };
    }

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        Tensor[] pair = [state.Latents, state.More[0]];
        int first = (step.Step - firstStep) % 2;
        foreach (int k in (int[])[first, 1 - first])
        {
            Tensor own = pair[k],
                other = pair[1 - k];
            pair[k] = Lifetime.Scoped(() => Ddim.Move(own, noise(other), step.Noisy, step.Clean));
            Observer?.Invoke(k, pair[k]);
        }
        pair[0] = Mixed(pair[0], pair[1]);
        pair[1] = Mixed(pair[1], pair[0]);
        return new LatentState(pair[0]) { More = [pair[1]] };

        Tensor Mixed(Tensor own, Tensor other) => Lifetime.Scoped(() => own.Times(mix).Plus(other.Times(1 - mix)));
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Close(second.Dispose);
}
