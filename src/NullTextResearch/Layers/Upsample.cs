using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Layers;

/// <summary>Doubles height and width by repeating pixels, then convolves.</summary>
public sealed class Upsample
{
    private readonly WeightPath _at;
    private readonly Conv2d _conv;

    /// <summary>Declares the convolution.</summary>
    public Upsample(WeightPath at, long channels)
    {
        _at = at;
        _conv = new Conv2d(at["conv"], channels, channels);
    }

    /// <summary>[B, C, H, W] to [B, C, height, width].</summary>
    public Tensor Forward(Tensor x, long height, long width) =>
        Lifetime.Scoped(() =>
        {
            long b = x.shape[0],
                c = x.shape[1],
                h = x.shape[2],
                w = x.shape[3];
            // Repeat by expand: on a contiguous CPU tensor it is about nine times faster than interpolate.
            Tensor up =
                height == 2 * h && width == 2 * w
                    ? x.reshape(b, c, h, 1, w, 1).expand(b, c, h, 2, w, 2).reshape(b, c, 2 * h, 2 * w)
                    : F.interpolate(x, size: [height, width], mode: InterpolationMode.Nearest);
            return _at.Observed(_conv.Forward(up));
        });
}
