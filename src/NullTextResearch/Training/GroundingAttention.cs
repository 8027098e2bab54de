using NullTextResearch.Attention;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>
/// Attention that also computes, as a loss, how much of a word's attention falls outside the thing the word names: 0 if all of it is inside, 1 if none is (Wang
/// and others 2024, "TokenCompose"). The loss keeps two objects and their colours apart, and produces maps that localise words.
/// </summary>
/// <param name="named">The naming tokens of each caption of the batch.</param>
/// <param name="masks">Where each image's objects are, [B, 2, h, w], 1 inside and 0 outside, at the resolution of the latents; borrowed.</param>
/// <param name="weights">Weight of each image, [B].</param>
internal sealed class GroundingAttention(IReadOnlyList<IReadOnlyList<NamedThing>> named, Tensor masks, float[] weights) : ExplicitAttention, IDisposable
{
    private readonly (int Image, NamedThing Thing)[] _all = [.. named.SelectMany((things, i) => things.Select(t => (i, t)))];
    private readonly Dictionary<int, Tensor> _inside = [];
    private readonly List<Tensor> _losses = [];

    /// <summary>Mean over layers and naming tokens; null if the batch has no naming tokens. Owned by the caller's dispose scope.</summary>
    public Tensor? Loss => _losses.Count == 0 ? null : _losses.Aggregate((a, b) => a.Plus(b)).Over(_losses.Count);

    /// <inheritdoc/>
    protected override Tensor Process(in AttentionCall call, Tensor map)
    {
        if (call.Site.Kind != AttentionKind.Cross || _all.Length == 0)
            return map;
        long batch = map.shape[0],
            pixels = map.shape[2],
            keys = map.shape[3];
        Tensor columns = map.mean([1])
            .transpose(1, 2)
            .reshape(batch * keys, pixels)
            .index_select(0, tensor(_all.Select(a => a.Image * keys + a.Thing.Token).ToArray()).to(map.device));
        Tensor share = columns.mul(Inside(call.Height, call.Width)).sum(1).div(columns.sum(1).Plus(1e-6));
        // Must outlive the layer's dispose scope.
        _losses.Add(share.OneMinus().Squared().mul(tensor(_all.Select(a => weights[a.Image]).ToArray()).to(map.device)).mean().Keep());
        return map;
    }

    /// <summary>Mask of the thing that each naming token names, [tokens, pixels].</summary>
    private Tensor Inside(int height, int width)
    {
        if (_inside.TryGetValue(height, out Tensor? found))
            return found;
        Tensor objects = masks.shape[2] == height ? masks : nn.functional.adaptive_max_pool2d(masks, [height, width]);
        // The place is everywhere without an object.
        Tensor things = cat([objects, objects.amax([1], keepdim: true).OneMinus()], 1).reshape(-1, (long)height * width);
        return _inside[height] = things.index_select(0, tensor(_all.Select(a => (long)a.Image * 3 + (a.Thing.Object ?? 2)).ToArray()).to(masks.device)).Keep();
    }

    /// <summary>Frees the tensors kept for <see cref="Loss"/>; a loss already taken remains valid, and so does its graph.</summary>
    public void Dispose()
    {
        foreach (Tensor tensor in _losses.Concat(_inside.Values))
            tensor.Dispose();
    }
}
