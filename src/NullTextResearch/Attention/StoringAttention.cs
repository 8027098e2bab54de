using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Attention;

/// <summary>Records a run without changing it: stores the conditional rows' maps that the store wants and uses the fused kernel everywhere else.</summary>
/// <param name="store">Where the maps go; borrowed.</param>
public sealed class StoringAttention(AttentionStore store) : INetworkHook
{
    private readonly MapHook _hook = new(
        (call, map) =>
        {
            store.Record(call, map);
            return map;
        }
    );

    /// <inheritdoc/>
    public bool TouchesUnconditional => false;

    /// <inheritdoc/>
    public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) =>
        store.Wants(call) ? ConditionalRows.Attend(call, query, key, value, _hook) : FusedAttention.Instance.Attend(call, query, key, value);
}

/// <summary>Explicit attention that passes each map through a function.</summary>
internal sealed class MapHook(Func<AttentionCall, Tensor, Tensor> process) : ExplicitAttention
{
    /// <inheritdoc/>
    protected override Tensor Process(in AttentionCall call, Tensor map) => process(call, map);
}

/// <summary>Applies a hook to conditional rows only.</summary>
internal static class ConditionalRows
{
    /// <summary>
    /// Runs the conditional rows through <paramref name="conditional"/> and the others through the fused kernel, which never builds their maps.
    /// </summary>
    /// <exception cref="ArgumentException">Unconditional rows come after conditional ones.</exception>
    public static Tensor Attend(AttentionCall call, Tensor query, Tensor key, Tensor value, INetworkHook conditional)
    {
        BatchLayout rows = call.Rows;
        if (!rows.IsHalved)
            throw new ArgumentException($"Attention received the rows {rows}; the unconditional rows (-) must come before the others.");
        int start = rows.FirstConditional;
        if (start == 0)
            return Lifetime.Scoped(() => conditional.Attend(call, query, key, value));
        if (start < 0)
            return FusedAttention.Instance.Attend(call, query, key, value);
        return Lifetime.Scoped(() =>
        {
            int count = rows.Count - start;
            AttentionCall half = call with { Rows = rows.Narrow(start, count) };
            Tensor plain = FusedAttention.Instance.Attend(call, query.narrow(0, 0, start), key.narrow(0, 0, start), value.narrow(0, 0, start));
            Tensor watched = conditional.Attend(half, query.narrow(0, start, count), key.narrow(0, start, count), value.narrow(0, start, count));
            return cat([plain, watched], 0);
        });
    }
}
