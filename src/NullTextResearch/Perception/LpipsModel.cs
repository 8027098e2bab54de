using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Perception;

/// <summary>Networks of LPIPS 0.1 (Zhang et al. 2018), with the keys of the authors' module: <c>net.sliceN.I</c> and <c>linN.model.1</c>.</summary>
/// <remarks>Several threads may use one instance concurrently. After <see cref="Dispose"/>, every use throws <see cref="ObjectDisposedException"/>.</remarks>
public sealed class LpipsModel : IDisposable
{
    // The authors' constants, rounded to float32 as stored in their module.
    private static readonly float[] Shift = [-.030f, -.088f, -.188f];
    private static readonly float[] Scale = [.458f, .448f, .450f];

    // Avoids a division by zero where all features are zero.
    private const double Least = 1e-10;

    private readonly List<List<Func<Tensor, Tensor>>> _slices = [];
    private readonly List<Weight> _heads = [];
    private readonly WeightPath _net;

    /// <summary>Declares the network; nothing is allocated until weights are loaded.</summary>
    /// <param name="backbone">The backbone network.</param>
    public LpipsModel(LpipsBackbone backbone)
    {
        Backbone = backbone;
        Weights = new WeightSet(nameof(LpipsModel));
        _net = Weights.Root["net"];
        switch (backbone)
        {
            case LpipsBackbone.Alex:
                Slice(64, at => Convolved(at[0], 3, 64, 11, stride: 4, padding: 2));
                Slice(192, _ => Pooled(3, 2), at => Convolved(at[3], 64, 192, 5));
                Slice(384, _ => Pooled(3, 2), at => Convolved(at[6], 192, 384));
                Slice(256, at => Convolved(at[8], 384, 256));
                Slice(256, at => Convolved(at[10], 256, 256));
                LeastSide = 31;
                break;
            case LpipsBackbone.Vgg:
                Slice(64, at => Convolved(at[0], 3, 64), at => Convolved(at[2], 64, 64));
                Slice(128, _ => Pooled(2, 2), at => Convolved(at[5], 64, 128), at => Convolved(at[7], 128, 128));
                Slice(256, _ => Pooled(2, 2), at => Convolved(at[10], 128, 256), at => Convolved(at[12], 256, 256), at => Convolved(at[14], 256, 256));
                Slice(512, _ => Pooled(2, 2), at => Convolved(at[17], 256, 512), at => Convolved(at[19], 512, 512), at => Convolved(at[21], 512, 512));
                Slice(512, _ => Pooled(2, 2), at => Convolved(at[24], 512, 512), at => Convolved(at[26], 512, 512), at => Convolved(at[28], 512, 512));
                LeastSide = 16;
                break;
            case LpipsBackbone.Squeeze:
                Slice(64, at => Convolved(at[0], 3, 64, 3, stride: 2, padding: 0));
                Slice(128, _ => Pooled(3, 2, ceiling: true), at => Fire(at[3], 64, 16, 64), at => Fire(at[4], 128, 16, 64));
                Slice(256, _ => Pooled(3, 2, ceiling: true), at => Fire(at[6], 128, 32, 128), at => Fire(at[7], 256, 32, 128));
                Slice(384, _ => Pooled(3, 2, ceiling: true), at => Fire(at[9], 256, 48, 192));
                Slice(384, at => Fire(at[10], 384, 48, 192));
                Slice(512, at => Fire(at[11], 384, 64, 256));
                Slice(512, at => Fire(at[12], 512, 64, 256));
                LeastSide = 17;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(backbone), backbone, "not a backbone");
        }
    }

    /// <summary>The backbone network.</summary>
    public LpipsBackbone Backbone { get; }

    /// <summary>All weights, by the keys of the authors' module.</summary>
    public WeightSet Weights { get; }

    /// <summary>Device of the weights.</summary>
    public Device Device => Weights.Device;

    /// <summary>Precision of the weights.</summary>
    public ScalarType Dtype => Weights.Dtype;

    /// <summary>The smallest width and height that leaves a pixel in the last layer.</summary>
    public int LeastSide { get; }

    /// <summary>Computes the features of each layer, as they leave the network.</summary>
    /// <param name="pixels">[B, 3, H, W] in [-1, 1]; borrowed.</param>
    /// <returns>One [B, C, h, w] per layer; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The shape is wrong.</exception>
    public IReadOnlyList<Tensor> Features(Tensor pixels)
    {
        RequireSize(pixels);
        using UseGate.Lease use = Weights.Use();
        using DisposeScope scope = NewDisposeScope();
        List<Tensor> features = [];
        Tensor x = Scaled(pixels);
        for (int i = 0; i < _slices.Count; i++)
        {
            x = Answer(i, x);
            features.Add(x);
        }
        foreach (Tensor feature in features)
            feature.MoveToOuterDisposeScope();
        return features;
    }

    /// <summary>Computes the weighted squared difference of the features of each layer.</summary>
    /// <param name="a">[B, 3, H, W] in [-1, 1]; borrowed.</param>
    /// <param name="b">The same shape; borrowed.</param>
    /// <returns>One [B, 1, h, w] per layer; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    public IReadOnlyList<Tensor> LayerMaps(Tensor a, Tensor b)
    {
        RequireSize(a);
        Shape.RequireSame(b, a);
        using UseGate.Lease use = Weights.Use();
        using DisposeScope scope = NewDisposeScope();
        List<Tensor> maps = [];
        Tensor x = Scaled(a),
            y = Scaled(b);
        for (int i = 0; i < _slices.Count; i++)
        {
            // Both pictures advance together, so only one layer of each is in memory at a time.
            x = x.Then(t => Answer(i, t));
            y = y.Then(t => Answer(i, t));
            maps.Add(Lifetime.Scoped(() => Normalised(x).sub(Normalised(y)).Squared().mul(_heads[i].Value.to(x.dtype)).sum([1], keepdim: true)));
        }
        foreach (Tensor map in maps)
            map.MoveToOuterDisposeScope();
        return maps;
    }

    /// <summary>Computes the distance of each layer: the mean of its map.</summary>
    /// <param name="a">[B, 3, H, W] in [-1, 1]; borrowed.</param>
    /// <param name="b">The same shape; borrowed.</param>
    /// <returns>[B, layers]; owned by the caller's dispose scope. Their sum is the distance.</returns>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    public Tensor PerLayer(Tensor a, Tensor b) => Lifetime.Scoped(() => cat([.. LayerMaps(a, b).Select(map => map.mean([2, 3]))], 1));

    /// <summary>Shows where the pictures differ: the maps of all layers, resized to the size of the pictures and summed.</summary>
    /// <param name="a">[B, 3, H, W] in [-1, 1]; borrowed.</param>
    /// <param name="b">The same shape; borrowed.</param>
    /// <returns>[B, 1, H, W]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    public Tensor Spatial(Tensor a, Tensor b) =>
        Lifetime.Scoped(() =>
            LayerMaps(a, b)
                .Select(map => F.interpolate(map, size: [a.shape[2], a.shape[3]], mode: InterpolationMode.Bilinear, align_corners: false))
                .Aggregate((sum, map) => sum.Plus(map))
        );

    /// <summary>
    /// Frees the weights. Waits for forward passes running in other threads; later ones throw <see cref="ObjectDisposedException"/>. Further calls do nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();

    private void RequireSize(Tensor pixels)
    {
        Shape.Require(pixels, [-1, 3, -1, -1]);
        if (pixels.shape[2] < LeastSide || pixels.shape[3] < LeastSide)
            throw new ArgumentException(
                $"LPIPS with {Backbone} needs pictures of at least {LeastSide} x {LeastSide} pixels, got {pixels.shape[3]} x {pixels.shape[2]}; enlarge both "
                    + "the same way"
            );
    }

    private Tensor Answer(int slice, Tensor x) =>
        Lifetime.Scoped(() =>
        {
            foreach (Func<Tensor, Tensor> step in _slices[slice])
                x = step(x);
            return x;
        });

    private static Tensor Scaled(Tensor pixels) =>
        Lifetime.Scoped(() =>
        {
            Tensor shift = tensor(Shift, [1, 3, 1, 1]).to(pixels.dtype, pixels.device),
                scale = tensor(Scale, [1, 3, 1, 1]).to(pixels.dtype, pixels.device);
            return pixels.sub(shift).div(scale);
        });

    private static Tensor Normalised(Tensor features) => Lifetime.Scoped(() => features.div(features.Squared().sum([1], keepdim: true).sqrt().Plus(Least)));

    /// <summary>Adds a slice and the linear layer that weights its channels.</summary>
    private void Slice(long channels, params Func<WeightPath, Func<Tensor, Tensor>>[] steps)
    {
        WeightPath at = _net[$"slice{_slices.Count + 1}"];
        _slices.Add([.. steps.Select(step => step(at))]);
        _heads.Add(Weights.Root[$"lin{_heads.Count}"]["model"][1].Declare("weight", [1, channels, 1, 1], WeightInit.FanIn, channels));
    }

    private static Func<Tensor, Tensor> Convolved(WeightPath at, long from, long to, long kernel = 3, long stride = 1, long? padding = null)
    {
        Conv2d conv = new(at, from, to, kernel, stride, padding ?? kernel / 2);
        return x => conv.Forward(x).relu_();
    }

    private static Func<Tensor, Tensor> Pooled(long kernel, long stride, bool ceiling = false) =>
        x => F.max_pool2d(x, [kernel, kernel], [stride, stride], ceil_mode: ceiling);

    /// <summary>SqueezeNet's fire module: squeezes to few channels, then expands to many by 1 x 1 and by 3 x 3 convolutions.</summary>
    private static Func<Tensor, Tensor> Fire(WeightPath at, long from, long few, long many)
    {
        Func<Tensor, Tensor> squeeze = Convolved(at["squeeze"], from, few, 1),
            small = Convolved(at["expand1x1"], few, many, 1),
            large = Convolved(at["expand3x3"], few, many);
        return x =>
        {
            Tensor squeezed = squeeze(x);
            return cat([small(squeezed), large(squeezed)], 1);
        };
    }
}
