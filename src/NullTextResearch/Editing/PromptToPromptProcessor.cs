using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Prompt-to-prompt at the attention layers. The rows of a batch are, for each image, the source and then its targets; with guidance, all unconditional rows
/// come first and stay untouched. The source row is never modified. Maps are built only for conditional rows of cross-attention layers inside a replace window,
/// or if they are stored: injected self-attention is the fused kernel run on the source's queries and keys. Use without gradients; owns tensors.
/// </summary>
public sealed class PromptToPromptProcessor : INetworkHook, IEditDirector
{
    private readonly IReadOnlyList<ImageEdit> _edits;
    private readonly int _steps;
    private readonly PromptToPromptOptions _options;
    private readonly List<Branch> _targets = [];
    private readonly JoinedRows _conditional;
    private readonly BatchLayout _prompts;
    private readonly BatchRow[] _targetRows;
    private readonly Dictionary<(int Order, int Image), Tensor[]> _sourceAttention = [];
    private bool _storeTaken;

    /// <summary>Resolves the edits.</summary>
    /// <param name="edits">Edits of each image.</param>
    /// <param name="steps">T.</param>
    /// <param name="dtype">Floating-point type of the latents.</param>
    /// <param name="device">Device of the latents.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <exception cref="ArgumentException">An edit does not fit its prompts: unequal word counts, unknown words, options out of range.</exception>
    public PromptToPromptProcessor(IReadOnlyList<ImageEdit> edits, int steps, ScalarType dtype, Device device, PromptToPromptOptions? options = null)
    {
        _edits = edits;
        _steps = steps;
        _options = options ?? new PromptToPromptOptions();
        if (edits.Count == 0)
            throw new ArgumentException("At least one image is needed.", nameof(edits));
        try
        {
            foreach (ImageEdit edit in edits)
            {
                if (edit.Targets.Count == 0)
                    throw new ArgumentException("An edit needs at least one target prompt.", nameof(edits));
                int source = Prompts;
                foreach (EditTarget target in edit.Targets)
                {
                    target.Blend?.Validate(edit.Source, target.Prompt);
                    _targets.Add(new Branch(edit, target, source, source + 1 + _targets.Count(t => t.SourceRow == source), steps, dtype, device));
                }
                Prompts += edit.Rows;
            }
        }
        catch
        {
            Dispose();
            throw;
        }
        bool blends = _targets.Exists(t => t.Target.Blend is not null);
        Store = new AttentionStore(
            _options.KeepMaps || blends
                ? _options.Store with
                {
                    Cross = _options.Store.Cross || blends,
                    Self = _options.Store.Self && _options.KeepMaps,
                }
                : new AttentionStoreOptions { Cross = false }
        );
        _conditional = new JoinedRows(this);
        _prompts = BatchLayout.Branches(edits.Select(e => e.Targets.Count));
        _targetRows = [.. _prompts.Rows.Where(r => !r.IsSource)];
    }

    /// <summary>Number of prompts: rows of the conditional half.</summary>
    public int Prompts { get; private set; }

    /// <summary>Edited maps, conditional rows only, summed over the steps; empty unless they are kept or a local blend needs them.</summary>
    public AttentionStore Store { get; }

    /// <summary>Layout of the conditional rows: for each image, the source and then its targets.</summary>
    public BatchLayout Rows => _prompts;

    /// <inheritdoc/>
    public bool TouchesUnconditional => false;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The batch does not fit the prompts.</exception>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        bool needed = Store.Wants(call) || (call.Site.Kind == AttentionKind.Cross ? ReplacesCross(call.Step) : ReplacesSelf(call));
        IReadOnlyList<BatchRow> conditional = call.Rows.ConditionalRows;
        if (conditional.Count == 0)
            return FusedAttention.Instance.Attend(call, query, key, value);
        if (conditional.SequenceEqual(_prompts.Rows))
            return needed ? ConditionalRows.Attend(call, query, key, value, _conditional) : FusedAttention.Instance.Attend(call, query, key, value);
        if (conditional.All(r => r.IsSource && r.Image < _edits.Count))
        {
            if (needed)
                Remember(call, query, key, value);
            return FusedAttention.Instance.Attend(call, query, key, value);
        }
        if (conditional.SequenceEqual(_targetRows))
            return needed ? AttendTargets(call, query, key, value) : FusedAttention.Instance.Attend(call, query, key, value);
        throw new ArgumentException(
            $"Attention received a batch of {call.Rows.Count} rows ({call.Rows}); the processor was made for {Prompts} prompts ({_prompts}): pass all of them, "
                + "or the sources and then the targets."
        );
    }

    /// <summary>Row of an image's source among the prompts.</summary>
    public int SourceRow(int image) => _edits.Take(image).Sum(e => e.Rows);

    /// <summary>Applies the local blends that are due after a step.</summary>
    /// <param name="step">Step just taken, 0..T-1.</param>
    /// <param name="latents">[prompts, 4, H, W]; borrowed.</param>
    /// <returns>Latents in the current dispose scope; the input itself where no blend is due.</returns>
    public Tensor Blend(int step, Tensor latents)
    {
        if (!_targets.Exists(t => BlendsAt(t, step)))
            return latents;
        return Lifetime.WithoutGradient(() =>
        {
            Tensor[] rows = [.. latents.split(1, 0)];
            foreach (Branch target in _targets.Where(t => BlendsAt(t, step)))
            {
                using BlendMask mask = Mask(target, latents.shape[2], latents.shape[3]);
                rows[target.Row] = LocalBlend.Apply(rows[target.SourceRow], rows[target.Row], mask.Final.narrow(0, 1, 1));
            }
            return cat(rows, 0);
        });
    }

    /// <inheritdoc/>
    public Tensor Predict(EditStep at, Tensor latents) =>
        Sampler.Predict(_options.SourceBranch == SourceBranch.Alone ? new SourceAlone(at.Network, this, _edits) : at.Network, at.Plan, at.Step, latents);

    /// <inheritdoc/>
    public Tensor After(EditStep at, Tensor latents) => Blend(at.Step.Step, latents);

    /// <inheritdoc/>
    IReadOnlyList<IReadOnlyList<BlendMask?>> IEditDirector.Masks(IReadOnlyList<ImageEdit> edits, long height, long width) => Masks(height, width);

    /// <inheritdoc/>
    public AttentionStore? TakeMaps() => _options.KeepMaps ? TakeStore() : null;

    /// <summary>Blend masks from the maps stored so far, per image and target; null if a target has no local blend.</summary>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <returns>Masks, owned by the caller.</returns>
    public IReadOnlyList<IReadOnlyList<BlendMask?>> Masks(long height, long width) =>
        [
            .. _edits.Select(
                (_, image) =>
                    (IReadOnlyList<BlendMask?>)
                        [.. _targets.Where(t => t.SourceRow == SourceRow(image)).Select(t => t.Target.Blend is null ? null : Mask(t, height, width))]
            ),
        ];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Branch target in _targets)
            target.Dispose();
        if (!_storeTaken)
            Store?.Dispose();
        ForgetSource();
    }

    /// <summary>The store; ownership passes to the caller.</summary>
    internal AttentionStore TakeStore()
    {
        _storeTaken = true;
        return Store;
    }

    /// <summary>Ends the step and discards the attention stored from the sources.</summary>
    internal void EndStep() => ForgetSource();

    private void Remember(in AttentionCall call, Tensor query, Tensor key, Tensor value)
    {
        for (int row = 0; row < call.Rows.Count; row++)
        {
            if (!call.Rows[row].IsConditional)
                continue;
            int at = row;
            _sourceAttention.Add(
                (call.Site.Order, call.Rows[row].Image),
                [
                    .. new[] { query, key, value }.Select(t =>
                    {
                        using Tensor one = t.narrow(0, at, 1);
                        return one.Snapshot();
                    }),
                ]
            );
        }
    }

    private bool ReplacesCross(int step) => _targets.Exists(t => t.CrossAt(step));

    private bool ReplacesSelf(in AttentionCall call)
    {
        int step = call.Step;
        return call.Site.TakesPart(_options.SelfReplaceMaxSide) && _targets.Exists(t => t.SelfAt(step));
    }

    private bool BlendsAt(Branch target, int step) => target.Target.Blend is { } blend && step >= blend.FirstStep(_steps);

    private BlendMask Mask(Branch target, long height, long width) =>
        target.Target.Blend!.Mask(Store.Maps, target.Edit.Source, target.SourceRow, target.Target.Prompt, target.Row, height, width);

    private void ForgetSource()
    {
        foreach (Tensor tensor in _sourceAttention.Values.SelectMany(t => t))
            tensor.Dispose();
        _sourceAttention.Clear();
    }

    /// <summary>Targets alone: their conditional rows are joined with the attention stored from the sources.</summary>
    private Tensor AttendTargets(AttentionCall call, Tensor query, Tensor key, Tensor value) =>
        Lifetime.Scoped(() =>
        {
            long start = call.Rows.FirstConditional;
            Tensor[] joined = [Join(query, 0), Join(key, 1), Join(value, 2)];
            Tensor all = _conditional.Attend(call with { Rows = _prompts }, joined[0], joined[1], joined[2]);
            using Tensor targetRows = tensor(_targets.Select(t => (long)t.Row).ToArray(), device: query.device);
            Tensor conditional = all.index_select(0, targetRows);
            if (start == 0)
                return conditional;
            Tensor unconditional = FusedAttention.Instance.Attend(call, query.narrow(0, 0, start), key.narrow(0, 0, start), value.narrow(0, 0, start));
            return cat([unconditional, conditional], 0);

            Tensor Join(Tensor tensor, int part)
            {
                List<Tensor> rows = [];
                long at = start;
                for (int image = 0; image < _edits.Count; image++)
                {
                    long count = _edits[image].Targets.Count;
                    rows.Add(_sourceAttention[(call.Site.Order, image)][part]);
                    rows.Add(tensor.narrow(0, at, count));
                    at += count;
                }
                return cat([.. rows], 0);
            }
        });

    /// <summary>Attention of the conditional rows of all prompts.</summary>
    private sealed class JoinedRows(PromptToPromptProcessor owner) : ExplicitAttention
    {
        public override Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
        {
            if (call.Site.Kind == AttentionKind.Cross)
                return base.Attend(call, query, key, value);
            using DisposeScope scope = NewDisposeScope();
            if (owner.ReplacesSelf(call))
            {
                long[] rows = [.. Enumerable.Range(0, owner.Prompts)];
                foreach (Branch target in owner._targets)
                {
                    if (target.SelfAt(call.Step))
                        rows[target.Row] = target.SourceRow;
                }
                // softmax(q_source k_source) v_target is the injected map applied to the target's values.
                Tensor index = tensor(rows, device: query.device);
                query = query.index_select(0, index);
                key = key.index_select(0, index);
            }
            Tensor attended = owner.Store.Wants(call) ? base.Attend(call, query, key, value) : FusedAttention.Instance.Attend(call, query, key, value);
            return attended.MoveToOuterDisposeScope();
        }

        protected override Tensor Process(in AttentionCall call, Tensor map)
        {
            if (call.Site.Kind == AttentionKind.Cross)
            {
                foreach (Branch target in owner._targets)
                {
                    if (!target.CrossAt(call.Step))
                        continue;
                    using DisposeScope scope = NewDisposeScope();
                    // Written in place, so that the map stored below is the edited one, as published.
                    Tensor own = map.select(0, target.Row);
                    own.copy_(target.Edited(map.select(0, target.SourceRow), own, call.Step));
                }
            }
            if (owner.Store.Wants(call))
                owner.Store.Record(call, map);
            return map;
        }
    }

    /// <summary>One target, resolved.</summary>
    private sealed class Branch : IDisposable
    {
        private readonly MapInjection _injection;
        private readonly Tensor _table;
        private readonly bool[] _cross;
        private readonly bool[] _everyToken;
        private readonly (int First, int End) _self;

        public Branch(ImageEdit edit, EditTarget target, int sourceRow, int row, int steps, ScalarType dtype, Device device)
        {
            (Edit, Target, SourceRow, Row) = (edit, target, sourceRow, row);
            using DisposeScope scope = NewDisposeScope();
            Tensor table = target.CrossReplace.Table(steps, [target.Prompt]).select(1, 0);
            _cross = table.amax([1L]).Above(0).data<bool>().ToArray();
            _everyToken = table.amin([1L]).Above(0).data<bool>().ToArray();
            _self = target.SelfReplace.Of(steps);
            _injection = target.Edit.Resolve(edit.Source, target.Prompt, dtype, device);
            _table = table.to(dtype, device, copy: true).Keep();
        }

        public ImageEdit Edit { get; }

        public EditTarget Target { get; }

        public int SourceRow { get; }

        public int Row { get; }

        public bool CrossAt(int step) => _cross[step];

        public bool SelfAt(int step) => step >= _self.First && step < _self.End;

        /// <summary>table x injected + (1 - table) x own; maps are [heads, pixels, tokens].</summary>
        public Tensor Edited(Tensor source, Tensor own, int step)
        {
            Tensor injected = _injection.Inject(source, own);
            if (_everyToken[step])
                return injected;
            Tensor weight = _table[step];
            return injected.mul(weight).Plus(own.mul(weight.OneMinus()));
        }

        public void Dispose()
        {
            _injection.Dispose();
            _table.Dispose();
        }
    }
}
