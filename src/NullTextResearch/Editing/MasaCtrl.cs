using NullTextResearch.Attention;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// MasaCtrl: in the later blocks and steps, the target's self-attention uses its own queries with the source's keys and values, so shapes may change while the
/// appearance stays. Cao et al. 2023 (arXiv 2304.08465).
/// </summary>
public sealed class MasaCtrl : INetworkHook, IEditDirector
{
    // Masks are made from cross-attention maps of this side, as published for 512 pixels; a smaller model has coarser maps.
    private const int PublishedMapSide = 16;

    private readonly MasaCtrlOptions _options;
    private readonly (int First, int End) _window;
    private readonly List<Tensor> _stepMaps = [];
    private int _step = -1;

    internal MasaCtrl(MasaCtrlOptions options, EditProblem problem)
    {
        if (!(options.FromBlock is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"FromBlock is {options.FromBlock}; it must lie in [0, 1]."));
        if (options.Masks is { } masks && !(masks.Threshold is >= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"Threshold is {masks.Threshold}; it must lie in [0, 1]."));
        if (options.Masks is { Source: null, SourceTokens.Count: 0 } or { Target: null, TargetTokens.Count: 0 })
            throw new ArgumentException("Masks need token positions, or a mask, for source and target.");
        if (options.Masks is not null && (problem.Edits.Count != 1 || problem.Edits[0].Targets.Count != 1))
            throw new ArgumentException("Masks support only one image and one target at a time.");
        _options = options;
        _window = options.Steps.Of(problem.Grid.Steps);
    }

    /// <summary>Receives the step and the scaled maps behind the masks, source then target, [h, w], borrowed; null to disable.</summary>
    public Action<int, Tensor, Tensor>? MapObserver { get; init; }

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        if (call.Step != _step || call.Site.Order == 0)
            Forget(call.Step);
        if (call.Site.Kind == AttentionKind.Cross)
            return Cross(call, query, key, value);
        if (!IsActive(call))
            return FusedAttention.Instance.Attend(call, query, key, value);
        // Every row attends to the source of its own half: unconditional rows to the unconditional source.
        AttentionCall at = call;
        int[] sources = [.. at.Rows.Rows.Select(r => at.Rows.IndexOf(r with { Branch = 0 }))];
        return Lifetime.Scoped(() =>
        {
            Tensor index = tensor(sources.Select(r => (long)r).ToArray(), device: query.device);
            Tensor k = key.index_select(0, index),
                v = value.index_select(0, index);
            Tensor mutual = FusedAttention.Instance.Attend(at, query, k, v);
            if (_options.Masks is not { } masks || MasksAt(at, masks) is not { } found)
                return mutual;
            return Confined(at, query, k, v, mutual, found.Source, found.Target);
        });
    }

    /// <inheritdoc/>
    public void Dispose() => Forget(-1);

    private bool IsActive(in AttentionCall call)
    {
        int step = call.Step,
            block = call.Site.Order / 2;
        bool inSteps = _options.StepIndices is { } steps ? steps.Contains(step) : step >= _window.First && step < _window.End;
        return inSteps && (_options.BlockIndices is { } blocks ? blocks.Contains(block) : block >= _options.FromBlock * call.Site.Blocks);
    }

    private Tensor Cross(AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        bool isWatched = _options.Masks is { Source: null } or { Target: null };
        if (!isWatched || call.Height != MapSide(call) || call.Width != MapSide(call))
            return FusedAttention.Instance.Attend(call, query, key, value);
        MapHook watch = new(
            (_, map) =>
            {
                _stepMaps.Add(map.mean([1L]).DetachFromDisposeScope());
                return map;
            }
        );
        return ConditionalRows.Attend(call, query, key, value, watch);
    }

    private static int MapSide(in AttentionCall call) => Math.Min(PublishedMapSide, call.Site.FinestSide);

    /// <summary>Masks for the keys and queries of a layer, [h, w] of 0 and 1 each; null until the step has a map.</summary>
    private (Tensor Source, Tensor Target)? MasksAt(AttentionCall call, MasaCtrlMasks masks)
    {
        if ((masks.Source is null || masks.Target is null) && _stepMaps.Count == 0)
            return null;
        Tensor? source = masks.Source,
            target = masks.Target;
        if (source is null || target is null)
        {
            // [rows, pixels, tokens], the mean over heads and over the layers so far.
            Tensor maps = stack(_stepMaps).mean([0L]);
            long side = (long)Math.Round(Math.Sqrt(maps.shape[1]));
            Tensor s = Scaled(maps, 0, masks.SourceTokens, side),
                t = Scaled(maps, 1, masks.TargetTokens, side);
            MapObserver?.Invoke(call.Step, s, t);
            source ??= Resized(s, call.Height, call.Width).Below(masks.Threshold).logical_not();
            target ??= Resized(t, call.Height, call.Width).Below(masks.Threshold).logical_not();
        }
        return (Resized(source, call.Height, call.Width), Resized(target, call.Height, call.Width));
    }

    private static Tensor Scaled(Tensor maps, int row, IReadOnlyList<int> tokens, long side)
    {
        Tensor index = tensor(tokens.Select(t => (long)t).ToArray(), device: maps.device);
        Tensor map = maps.select(0, row).index_select(1, index).sum(-1).view(side, side);
        return map.sub(map.min()).div(map.max().sub(map.min()));
    }

    private static Tensor Resized(Tensor mask, int height, int width) =>
        nn
            .functional.interpolate(mask.to(ScalarType.Float32).unsqueeze(0).unsqueeze(0), size: [height, width], mode: InterpolationMode.Nearest)
            .squeeze(0)
            .squeeze(0);

    /// <summary>
    /// The target's object attends to the source's object and its background to the source's background; sources attend to all of themselves.
    /// </summary>
    private static Tensor Confined(AttentionCall call, Tensor query, Tensor key, Tensor value, Tensor plain, Tensor source, Tensor target)
    {
        Tensor thing = source.flatten().Above(0.5);
        Tensor shown = Among(thing),
            hidden = Among(thing.logical_not());
        Tensor choose = target.flatten().Above(0.5).view(1, 1, -1, 1);
        Tensor confined = where(choose, shown, hidden);
        Tensor isTarget = tensor(call.Rows.Rows.Select(r => !r.IsSource).ToArray(), device: query.device).view(-1, 1, 1, 1);
        return where(isTarget, confined, plain);

        // An empty region: there is nothing to confine to.
        Tensor Among(Tensor keys) =>
            keys.any().item<bool>()
                ? nn.functional.scaled_dot_product_attention(query, key, value, attn_mask: keys.view(1, 1, 1, -1).expand(1, 1, query.shape[2], key.shape[2]))
                : plain;
    }

    private void Forget(int step)
    {
        foreach (Tensor map in _stepMaps)
            map.Dispose();
        _stepMaps.Clear();
        _step = step;
    }
}
