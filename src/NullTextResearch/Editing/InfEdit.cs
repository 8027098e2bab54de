using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// InfEdit's virtual inversion: the source is the image noised to each level, where the true noise is known, so it needs no inversion. The target adds the
/// difference of the two predictions to its clean latents. Denoising diffusion consistent model, Xu et al. 2024 (arXiv 2312.04965), without its attention
/// control.
/// </summary>
/// <remarks>
/// It uses only the clean latents of an inversion, so the cheapest one suffices. The source ends exactly at the image. The authors' third branch, which differs
/// from the source only under attention control, is omitted.
/// </remarks>
public sealed class InfEdit : IEditDirector
{
    private readonly InfEditOptions _options;
    private readonly EditProblem _problem;
    private readonly Tensor _clean;
    private readonly int _first;
    private VirtualInversion? _replay;
    private StepEmbeddings? _empty;

    internal InfEdit(InfEditOptions options, EditProblem problem)
    {
        if (!(options.Strength is > 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Strength is {options.Strength}; it must be above 0 and at most 1."));
        if (!(options.Eta is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Eta is {options.Eta}; it must lie in [0, 1]."));
        if (!double.IsFinite(options.SourceGuidance))
            throw new ArgumentException(FormattableString.Invariant($"SourceGuidance is {options.SourceGuidance}; it must be finite."));
        int steps = problem.Grid.Steps;
        _first = steps - (int)(options.Strength * steps);
        if (_first == steps)
            throw new ArgumentException(
                FormattableString.Invariant($"Strength {options.Strength} of {steps} steps is less than one step, so nothing would be edited.")
            );
        _clean =
            problem.Inversion.Pivot?.Clean
            ?? throw new ArgumentException(
                $"InfEdit starts from the image's clean latents, but '{problem.Inversion.Method}' keeps no intermediate latents. Invert with a method that "
                    + "has a pivot; DDIM inversion is enough, because nothing else of it is used."
            );
        (_options, _problem) = (options, problem);
    }

    /// <summary>Noise, [1 + steps to run, 4, H, W]: the start noise, then one sample per step; borrowed. Null draws it.</summary>
    public Tensor? Noise { get; init; }

    /// <summary>
    /// Receives the noisy latents of all rows after each step, [rows, 4, H, W], borrowed; also after the last step, whose result is the clean latents. Null to
    /// disable.
    /// </summary>
    public Action<DiffusionStep, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public SamplingPlan Plan(SamplingPlan plan, INoisePredictor network)
    {
        int steps = _problem.Grid.Steps;
        using DisposeScope scope = NewDisposeScope();
        Tensor noise = Noise ?? Seeds.Normal(_options.Seed, [1 + steps - _first, .. _clean.shape[1..]], _clean);
        _replay = new VirtualInversion(this, noise.Snapshot());
        // Embeddings that an inversion fitted to its own path are of no use here.
        _empty = _problem.Empty is null ? null : StepEmbeddings.Constant(_problem.Empty);
        Tensor clean = _clean.index_select(0, VirtualInversion.Index(plan.Rows!, r => r.Image, _clean.device));
        Tensor drawn = noise.narrow(0, 0, 1).expand(clean.shape);
        Tensor start = _options.StartsFromImage ? NoiseSchedule.AddNoise(clean, drawn, _problem.Grid.Moves[_first].Noisy) : drawn.clone();
        return plan with
        {
            StartLatents = start.MoveToOuterDisposeScope(),
            Unconditional = _empty ?? plan.Unconditional,
            SourceGuidance = _options.SourceGuidance,
            FirstStep = _first,
            Replay = _replay,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _replay?.Dispose();
        _empty?.Dispose();
    }

    /// <summary>InfEdit's steps. Source and targets share the noise and the error of the source's prediction, which is known from the true noise.</summary>
    private sealed class VirtualInversion(InfEdit owner, Tensor noise) : IReplay
    {
        public ReplayData Data { get; } = ReplayData.Empty(InfEditOptions.EditorId);

        public static Tensor Index(BatchLayout rows, Func<BatchRow, int> of, Device device) =>
            tensor(rows.Rows.Select(r => (long)of(r)).ToArray(), device: device);

        public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noisePrediction, BatchLayout rows) =>
            new(
                Lifetime.Scoped(() =>
                {
                    InfEditOptions options = owner._options;
                    bool isLast = step.Step + 1 == owner._problem.Grid.Steps;
                    double a = step.Noisy.RequireAlphaBar("InfEdit"),
                        b = isLast ? a : step.Clean.AlphaBar;
                    double anew = (options.PublishedEta ? options.Eta : options.Eta * options.Eta) * (1 - b);
                    Tensor latents = state.Latents,
                        prediction = noisePrediction(latents),
                        sourceOf = Index(rows, r => rows.IndexOf(r with { Branch = 0 }), latents.device),
                        image = owner._clean.index_select(0, Index(rows, r => r.Image, latents.device));
                    Tensor source = latents.index_select(0, sourceOf),
                        difference = prediction.sub(prediction.index_select(0, sourceOf));
                    // The noise in the source: what a perfect network would predict for it.
                    Tensor consistent = source.sub(image.Times(Math.Sqrt(a))).Over(Math.Sqrt(1 - a));
                    Tensor clean = image.Plus(latents.sub(source).sub(difference.Times(Math.Sqrt(1 - a))).Over(Math.Sqrt(a)));
                    Tensor next = clean
                        .Times(Math.Sqrt(b))
                        .Plus(difference.Plus(consistent).Times(Math.Sqrt(Math.Max(0, 1 - b - anew))))
                        .Plus(noise.narrow(0, 1 + step.Step - owner._first, 1).Times(Math.Sqrt(anew)));
                    owner.Observer?.Invoke(step, next);
                    return isLast ? clean : next;
                })
            );

        public void Dispose() => noise.Dispose();
    }
}
