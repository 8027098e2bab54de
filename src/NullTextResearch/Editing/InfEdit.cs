using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// InfEdit's virtual inversion: the source is the image noised to each level, whose true noise is known, so it needs no inversion; the target takes the
/// difference of the two predictions to its clean latents. Denoising diffusion consistent model, Xu et al. 2024 (arXiv 2312.04965), without its
/// attention control.
/// </summary>
/// <remarks>
/// It uses nothing of an inversion but the clean latents, so the cheapest will do. The source ends at the image exactly. The authors' third branch,
/// which only attention control tells from the source, is left out.
/// </remarks>
public sealed class InfEdit : INetworkHook, IEditDirector
{
    private readonly InfEditOptions _options;
    private readonly EditProblem _problem;
    private readonly Tensor _clean;
    private readonly int _first;
    private readonly HashSet<int> _seen = [];
    private VirtualInversion? _replay;
    private StepEmbeddings? _empty;

    internal InfEdit(InfEditOptions options, EditProblem problem)
    {
        if (!(options.Strength is > 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Strength is {options.Strength}; it must lie above 0 and up to 1."));
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
                $"InfEdit starts from the image's clean latents, and '{problem.Inversion.Method}' keeps no latents of the way. Invert with a method that "
                    + "has a pivot; DDIM inversion will do, since nothing else of it is used."
            );
        (_options, _problem) = (options, problem);
    }

    /// <inheritdoc/>
    public INetworkHook Hook => this;

    /// <inheritdoc/>
    public int LayersSeen => _seen.Count;

    /// <summary>Noise in place of drawn one, [1 + steps to run, 4, H, W]: that of the start, then one for each step; borrowed. Null draws it.</summary>
    public Tensor? Noise { get; init; }

    /// <summary>
    /// Sees the noisy latents of all rows after each step, [rows, 4, H, W], borrowed; after the last step too, where the result is the clean ones. Null
    /// costs nothing.
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
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        _seen.Add(call.Site.Order);
        return FusedAttention.Instance.Attend(call, query, key, value);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _replay?.Dispose();
        _empty?.Dispose();
    }

    /// <summary>Its steps. Source and targets share noise, and what is wrong with the source's prediction, which its true noise shows.</summary>
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
                    double a = step.Noisy.Value,
                        b = isLast ? a : step.Clean.Value;
                    double anew = (options.PublishedEta ? options.Eta : options.Eta * options.Eta) * (1 - b);
                    Tensor latents = state.Latents,
                        prediction = noisePrediction(latents),
                        sourceOf = Index(rows, r => rows.IndexOf(r with { Branch = 0 }), latents.device),
                        image = owner._clean.index_select(0, Index(rows, r => r.Image, latents.device));
                    Tensor source = latents.index_select(0, sourceOf),
                        difference = prediction.sub(prediction.index_select(0, sourceOf));
                    // The noise that is in the source: what a perfect network would say of it.
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
