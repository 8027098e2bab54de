using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// pix2pix-zero: before each step, the target's latents move down the gradient of the squared distance between its cross-attention maps and the source's, which
/// brings the maps closer together. Parmar et al. 2023 (arXiv 2302.03027), section 3.2.
/// </summary>
/// <remarks>
/// The authors move from source to target along a direction, the mean difference of many sentences with either word; here the target prompt gives the
/// direction. To use a better one, put it into the target's embedding.
/// </remarks>
public sealed class Pix2PixZero : INetworkHook, IEditDirector
{
    private readonly Pix2PixZeroOptions _options;
    private readonly Dictionary<int, Tensor> _maps = [];
    private readonly List<Tensor> _distances = [];
    private readonly MapHook _keep;
    private readonly MapHook _compare;
    private BatchLayout? _mapRows;
    private MapHook? _watch;
    private Tensor? _apart;
    private int _step = -1;

    internal Pix2PixZero(Pix2PixZeroOptions options)
    {
        if (!(options.Amount >= 0 && double.IsFinite(options.Amount)))
            throw new ArgumentException(FormattableString.Invariant($"Amount is {options.Amount}; it must be finite and 0 or more."));
        _options = options;
        _keep = new MapHook(Kept);
        _compare = new MapHook(Compared);
    }

    /// <inheritdoc/>
    public Tensor Before(EditStep at, Tensor latents)
    {
        if (_options.Amount == 0)
            return latents;
        (INoisePredictor network, SamplingPlan plan, DiffusionStep step) = at;
        BatchLayout rows = plan.Rows!;
        bool isGuided = IsGuided(plan);
        bool isApart = _options.PublishedHalves && isGuided;
        if (isApart && step.Step == _step)
            throw new InvalidOperationException(
                "PublishedHalves needs a sampler that carries one latent from step to step; this inversion's carries more. Turn it off, or invert with DDIM."
            );
        _step = step.Step;
        Forget();
        return Lifetime.Scoped(() =>
        {
            int[] sources = [.. Enumerable.Range(0, rows.Count).Where(r => rows[r].IsSource)],
                targets = [.. Enumerable.Range(0, rows.Count).Where(r => !rows[r].IsSource)];
            (Tensor z, Conditioning condition) = Batch(plan, step, latents, sources, isGuided);
            _watch = _keep;
            using (NewDisposeScope())
                network.Predict(z, step, condition);
            // No maps to approach: the network has no cross-attention, or never calls the hook.
            if (_maps.Count == 0)
                return latents.alias();
            (z, condition) = Batch(plan, step, latents, targets, isGuided);
            _watch = _compare;
            Tensor gradient = PredictionGradient.Recorded(network, z, step, condition, _ => stack(_distances).sum([0L]), GradientOf.Latents).Latents!;
            Forget();
            Tensor move = gradient.Times(-_options.Amount);
            Tensor[] halves = isGuided ? move.chunk(2, 0) : [move];
            if (isApart)
                _apart = Moved(halves[1]).Keep();
            return Moved(isGuided && !isApart ? halves[0].Plus(halves[1]) : halves[0]);

            Tensor Moved(Tensor by)
            {
                Tensor index = Index(targets, latents.device);
                return latents.Plus(zeros_like(latents).index_copy(0, index, by));
            }
        });
    }

    /// <inheritdoc/>
    public Tensor Predict(EditStep at, Tensor latents)
    {
        if (_apart is null)
            return Sampler.Predict(at.Network, at.Plan, at.Step, latents);
        return Lifetime.Scoped(() =>
        {
            (INoisePredictor network, SamplingPlan plan, DiffusionStep step) = at;
            Conditioning condition = (plan.Conditional.At(step.Step) with { Rows = plan.Rows }).Guided(plan.Unconditional!.At(step.Step));
            Tensor[] both = network.Predict(cat([latents, _apart], 0), step, condition).chunk(2, 0);
            return plan.Replay.Guide(both[0], both[1], plan.Scales, step, plan.Rows!);
        });
    }

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        if (_watch is not { } watch || call.Site.Kind != AttentionKind.Cross)
            return FusedAttention.Instance.Attend(call, query, key, value);
        AttentionCall at = call;
        return Lifetime.Scoped(() => watch.Attend(at, query, key, value));
    }

    /// <inheritdoc/>
    public void Dispose() => Forget();

    private static bool IsGuided(SamplingPlan plan) => plan.Scales.Any(w => w != 1);

    private Tensor Kept(AttentionCall call, Tensor map)
    {
        _mapRows = call.Rows;
        _maps.Add(call.Site.Order, map.Snapshot());
        return map;
    }

    /// <summary>Squared distance of each row's map from its source's: summed over pixels and tokens, averaged over heads and halves.</summary>
    private Tensor Compared(AttentionCall call, Tensor map)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor sources = Index([.. call.Rows.Rows.Select(r => _mapRows!.IndexOf(r with { Branch = 0 }))], map.device);
        Tensor difference = map.sub(_maps[call.Site.Order].index_select(0, sources));
        int halves = call.Rows.FirstConditional > 0 ? 2 : 1;
        _distances.Add(difference.Squared().sum([1L, 2, 3]).Over(map.shape[1] * halves).Keep());
        return map;
    }

    /// <summary>The chosen rows; with guidance, both without and with their prompts.</summary>
    private static (Tensor Latents, Conditioning Condition) Batch(SamplingPlan plan, DiffusionStep step, Tensor latents, int[] chosen, bool isGuided)
    {
        Tensor index = Index(chosen, latents.device);
        Tensor own = latents.index_select(0, index);
        Conditioning condition = plan.Conditional.At(step.Step).Select(index) with { Rows = plan.Rows!.Select(chosen) };
        if (!isGuided)
            return (own, condition);
        Conditioning unconditional = plan.Unconditional!.At(step.Step);
        return (cat([own, own], 0), condition.Guided(unconditional.Count == 1 ? unconditional : unconditional.Select(index)));
    }

    private void Forget()
    {
        _watch = null;
        foreach (Tensor tensor in _maps.Values.Concat(_distances))
            tensor.Dispose();
        _maps.Clear();
        _distances.Clear();
        _apart?.Dispose();
        _apart = null;
    }

    private static Tensor Index(int[] rows, Device device) => torch.tensor(rows.Select(r => (long)r).ToArray(), device: device);
}
