using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Plug-and-play: the image follows its inversion alongside the edit, with the empty prompt, and provides one layer's residual features and the self-attention
/// queries and keys of the later blocks. Tumanyan et al. 2023 (arXiv 2211.12572).
/// </summary>
/// <remarks>The inversion's own latents are the source at every step, so the source branch ends at the image itself.</remarks>
public sealed class PlugAndPlay : INetworkHook, IEditDirector
{
    private readonly PlugAndPlayOptions _options;
    private readonly EditProblem _problem;
    private readonly int _featureSteps;
    private readonly int _attentionSteps;

    internal PlugAndPlay(PlugAndPlayOptions options, EditProblem problem)
    {
        foreach (
            (string name, double share) in ((string, double)[])[(nameof(options.Features), options.Features), (nameof(options.Attention), options.Attention)]
        )
        {
            if (!(share is >= 0 and <= 1))
                throw new ArgumentException(FormattableString.Invariant($"{name} is {share}; it must lie in [0, 1]."));
        }
        if (problem.Inversion.Pivot is null)
            throw new ArgumentException(
                $"Plug-and-play reads the source at every step of its inversion, but '{problem.Inversion.Method}' keeps no intermediate latents. Invert with "
                    + "a method that has a pivot, such as DDIM or null-text inversion."
            );
        if (problem.Empty is null)
            throw new ArgumentException("Plug-and-play needs the embedding of the empty prompt for its source.");
        (_options, _problem) = (options, problem);
        _featureSteps = (int)(problem.Grid.Steps * options.Features);
        _attentionSteps = (int)(problem.Grid.Steps * options.Attention);
    }

    /// <summary>Overrides the source's latents at a step, [images, 4, H, W]; borrowed. Null uses the inversion's.</summary>
    public Func<DiffusionStep, Tensor>? SourceLatents { get; init; }

    /// <summary>Negative prompt, one row or one per target; borrowed. Null uses the inversion's unconditional embedding.</summary>
    public Conditioning? Negative { get; init; }

    /// <inheritdoc/>
    public Tensor Predict(EditStep at, Tensor latents) =>
        Lifetime.Scoped(() =>
        {
            (INoisePredictor network, SamplingPlan plan, DiffusionStep step) = at;
            BatchLayout rows = plan.Rows!;
            int[] sources = [.. Enumerable.Range(0, rows.Count).Where(r => rows[r].IsSource)],
                targets = [.. Enumerable.Range(0, rows.Count).Where(r => !rows[r].IsSource)];
            Tensor source = SourceLatents?.Invoke(step) ?? _problem.Inversion.Pivot![_problem.Grid.Steps - step.Step];
            Tensor chosen = tensor(targets.Select(t => (long)t).ToArray(), device: latents.device);
            Conditioning conditional = plan.Conditional.At(step.Step).Select(chosen),
                all = plan.Unconditional!.At(step.Step),
                unconditional = Negative is { } negative ? negative.Expand(targets.Length)
                : all.Count == 1 ? all.Expand(targets.Length)
                : all.Select(chosen),
                empty = _problem.Empty!.Expand(sources.Length);
            Tensor own = latents.index_select(0, chosen);
            BatchRow[] layout =
            [
                .. sources.Select(r => rows[r]),
                .. targets.Select(r => rows[r] with { IsConditional = false }),
                .. targets.Select(r => rows[r]),
            ];
            Tensor noise = network.Predict(
                cat([source, own, own], 0),
                step,
                Conditioning.Join(empty, unconditional, conditional) with
                {
                    Rows = new BatchLayout(layout),
                }
            );
            Tensor guided = Guidance.Combine(
                noise.narrow(0, sources.Length, targets.Length),
                noise.narrow(0, sources.Length + targets.Length, targets.Length),
                plan.GuidanceScale
            );
            // In the order of the rows: sources move by their own prediction.
            Tensor[] ordered = new Tensor[rows.Count];
            for (int i = 0; i < sources.Length; i++)
                ordered[sources[i]] = noise.narrow(0, i, 1);
            for (int i = 0; i < targets.Length; i++)
                ordered[targets[i]] = guided.narrow(0, i, 1);
            return cat(ordered, 0);
        });

    /// <inheritdoc/>
    public Tensor After(EditStep at, Tensor latents)
    {
        if (SourceLatents is not null)
            return latents;
        Tensor pivot = _problem.Inversion.Pivot!.TargetOf(at.Step);
        Tensor[] rows = [.. latents.split(1, 0)];
        int row = 0;
        for (int image = 0; image < _problem.Edits.Count; image++)
        {
            rows[row] = pivot.narrow(0, image, 1);
            row += 1 + _problem.Edits[image].Targets.Count;
        }
        return cat(rows, 0);
    }

    /// <inheritdoc/>
    public Tensor Feature(in FeatureCall call, Tensor features)
    {
        // The published layer: the second residual block of the second expanding block, where a model has one.
        if (call.Step >= _featureSteps || call.Site is not { Stage: UNetStage.Up, Block: 1, Layer: 1 })
            return features;
        return FromSource(call.Rows, features);
    }

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        AttentionSite site = call.Site;
        bool isLate = site.Stage == UNetStage.Up && (site.Block > 1 || (site.Block == 1 && site.Layer >= 1));
        if (site.Kind != AttentionKind.Self || call.Step >= _attentionSteps || !isLate)
            return FusedAttention.Instance.Attend(call, query, key, value);
        AttentionCall at = call;
        return Lifetime.Scoped(() => FusedAttention.Instance.Attend(at, FromSource(at.Rows, query), FromSource(at.Rows, key), value));
    }

    /// <inheritdoc/>
    public void Dispose() { }

    /// <summary>Replaces every row with that of its image's source.</summary>
    private static Tensor FromSource(BatchLayout rows, Tensor tensor)
    {
        using Tensor index = torch.tensor(rows.Rows.Select(r => (long)rows.IndexOf(new BatchRow(r.Image, 0))).ToArray(), device: tensor.device);
        return tensor.index_select(0, index);
    }
}
