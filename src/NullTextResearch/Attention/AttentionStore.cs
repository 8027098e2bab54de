using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>Attention maps of a sampling run, summed over its steps. Owns its tensors.</summary>
/// <param name="options">What to keep; null keeps the cross-attention maps that the released code keeps.</param>
public sealed class AttentionStore(AttentionStoreOptions? options = null) : IDisposable
{
    private readonly AttentionStoreOptions _options = options ?? new AttentionStoreOptions();
    private readonly UseGate _gate = new(nameof(AttentionStore));
    private readonly SortedDictionary<int, StoredMap> _maps = [];

    /// <summary>The stored maps, in the execution order of the layers.</summary>
    /// <exception cref="ObjectDisposedException">The store was disposed.</exception>
    public IReadOnlyList<StoredMap> Maps => [.. _gate.Alive(_maps).Values];

    /// <summary>Whether the store keeps the map of a call.</summary>
    public bool Wants(in AttentionCall call) =>
        (call.Site.Kind == AttentionKind.Cross ? _options.Cross : _options.Self)
        && call.Site.TakesPart(_options.MaxSide)
        && (_options.Site?.Invoke(call.Site) ?? true);

    /// <summary>Adds a map to the sum of its layer.</summary>
    /// <param name="call">The call that produced the map.</param>
    /// <param name="map">[rows, heads, pixels, keys]; borrowed, copied. Half precision is summed in single.</param>
    /// <exception cref="ShapeMismatchException">An earlier map of this layer had a different shape.</exception>
    /// <exception cref="ObjectDisposedException">The store was disposed.</exception>
    public void Record(in AttentionCall call, Tensor map)
    {
        _gate.Alive(_maps);
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        if (map.dtype is ScalarType.Float16 or ScalarType.BFloat16)
            map = map.to(ScalarType.Float32);
        if (_maps.TryGetValue(call.Site.Order, out StoredMap? kept))
        {
            Shape.RequireSame(map, kept.Sum);
            kept.Sum.PlusInPlace(map);
            _maps[call.Site.Order] = kept with { Steps = kept.Steps + 1 };
        }
        else
        {
            _maps.Add(call.Site.Order, new StoredMap(call.Site, call.Height, call.Width, map.Snapshot(), 1));
        }
    }

    /// <summary>Cross-attention maps averaged over steps, heads and the selected layers.</summary>
    /// <param name="selection">Which layers; null takes <see cref="MapSelection.Default"/>.</param>
    /// <param name="row">Which prompt of the run, from 0.</param>
    /// <returns>[h, w, tokens]; owned by the caller's dispose scope. Each pixel sums to 1 over the tokens unless an edit re-weighted it.</returns>
    /// <exception cref="InvalidOperationException">No stored layer matches the selection.</exception>
    public Tensor AverageMaps(MapSelection? selection = null, int row = 0)
    {
        using UseGate.Lease use = _gate.Use();
        IReadOnlyList<StoredMap> chosen = (selection ?? MapSelection.Default).From(Maps);
        return Lifetime.WithoutGradient(() =>
        {
            StoredMap first = chosen[0];
            long rows = first.Sum.shape[0];
            if (row < 0 || row >= rows)
                throw new ArgumentOutOfRangeException(nameof(row), row, $"The store holds {rows} rows (prompts), counted from 0.");
            Tensor perHead = cat([.. chosen.Select(m => m.Sum.select(0, row).Over(m.Steps))], 0);
            return perHead.mean([0L]).view(first.Height, first.Width, -1);
        });
    }

    /// <summary>Where the picture attends to a word, for figures.</summary>
    /// <param name="positions">Token positions of the word; their maps are added up.</param>
    /// <param name="selection">Which layers; null takes <see cref="MapSelection.Default"/>.</param>
    /// <param name="row">Which prompt of the run, from 0.</param>
    /// <returns>[h, w], 0 to 1: divided by its maximum; owned by the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">No position was given, or one lies outside the context.</exception>
    public Tensor AverageMap(IReadOnlyList<int> positions, MapSelection? selection = null, int row = 0) =>
        Lifetime.WithoutGradient(() =>
        {
            Tensor all = AverageMaps(selection, row);
            if (positions.Count == 0)
                throw new ArgumentException("At least one token position is needed.", nameof(positions));
            foreach (int position in positions)
            {
                if (position < 0 || position >= all.shape[2])
                    throw new ArgumentOutOfRangeException(nameof(positions), position, $"The maps have {all.shape[2]} tokens, counted from 0.");
            }
            using Tensor index = tensor(positions.Select(p => (long)p).ToArray(), device: all.device);
            Tensor map = all.index_select(2, index).sum(-1);
            return map.div(map.max().AtLeast(double.Epsilon));
        });

    /// <summary>Frees the maps. Calling it again has no effect.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            foreach (StoredMap map in _maps.Values)
                map.Sum.Dispose();
            _maps.Clear();
        });
}
