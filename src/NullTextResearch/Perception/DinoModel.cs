using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Perception;

/// <summary>The vision transformer of DINO (Caron et al. 2021), with the keys of the authors' VisionTransformer without its head.</summary>
/// <remarks>Several threads may use one instance concurrently. After <see cref="Dispose"/>, every use throws <see cref="ObjectDisposedException"/>.</remarks>
public sealed class DinoModel : IDisposable
{
    private const double Epsilon = 1e-6;

    // Keeps the size of the resized position grid from being rounded down, and shifts its values slightly. The authors do the same.
    private const double SizeOffset = 0.1;

    private readonly Weight _class;
    private readonly Weight _positions;
    private readonly Conv2d _patches;
    private readonly List<Block> _blocks = [];
    private readonly LayerNorm _norm;
    private readonly int _side;

    /// <summary>Declares the network; nothing is allocated until weights are loaded.</summary>
    /// <param name="config">Architecture.</param>
    /// <exception cref="ArgumentException">The config does not describe a valid network.</exception>
    public DinoModel(DinoConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Heads < 1 || config.Width % config.Heads != 0)
            throw new ArgumentException($"a width of {config.Width} cannot be split into {config.Heads} heads", nameof(config));
        if (config.Depth < 1 || config.PatchSize < 1 || config.ImageSize < config.PatchSize)
            throw new ArgumentException(
                $"{config.Depth} blocks on {config.PatchSize}-pixel patches of {config.ImageSize}-pixel pictures are not a valid network",
                nameof(config)
            );
        Config = config;
        Weights = new WeightSet(nameof(DinoModel));
        WeightPath root = Weights.Root;
        _side = config.ImageSize / config.PatchSize;
        _class = root.Declare("cls_token", [1, 1, config.Width], WeightInit.Normal002);
        _positions = root.Declare("pos_embed", [1, (_side * _side) + 1, config.Width], WeightInit.Normal002);
        _patches = new Conv2d(root["patch_embed"]["proj"], 3, config.Width, config.PatchSize, config.PatchSize, padding: 0);
        for (int i = 0; i < config.Depth; i++)
            _blocks.Add(new Block(root["blocks"][i], config));
        _norm = new LayerNorm(root["norm"], config.Width, Epsilon);
    }

    /// <summary>Architecture.</summary>
    public DinoConfig Config { get; }

    /// <summary>All weights, by the keys of the authors' network.</summary>
    public WeightSet Weights { get; }

    /// <summary>Device of the weights.</summary>
    public Device Device => Weights.Device;

    /// <summary>Precision of the weights.</summary>
    public ScalarType Dtype => Weights.Dtype;

    /// <summary>Computes one vector per picture.</summary>
    /// <param name="pixels">[B, 3, H, W] normalised with ImageNet's mean and deviation; borrowed.</param>
    /// <returns>[B, width]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The shape is wrong.</exception>
    public Tensor ClassToken(Tensor pixels)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() =>
        {
            Tensor x = Embedded(pixels);
            foreach (Block block in _blocks)
                x = x.Then(block.Forward);
            return _norm.Forward(x).select(1, 0);
        });
    }

    /// <summary>Computes the attention keys of the last block: one for the picture, then one per patch.</summary>
    /// <param name="pixels">[B, 3, H, W] normalised with ImageNet's mean and deviation; borrowed.</param>
    /// <returns>[B, heads, 1 + patches, width / heads]; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">The shape is wrong.</exception>
    public Tensor Keys(Tensor pixels)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() =>
        {
            Tensor x = Embedded(pixels);
            foreach (Block block in _blocks.SkipLast(1))
                x = x.Then(block.Forward);
            return _blocks[^1].Keys(x);
        });
    }

    /// <summary>The position embeddings for a picture size: the trained ones, resized by bicubic interpolation if the size differs.</summary>
    /// <param name="height">Height of the pictures in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <returns>[1, 1 + patches, width of the embedding]; owned by the caller's dispose scope.</returns>
    public Tensor Positions(long height, long width)
    {
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() =>
        {
            Tensor all = _positions.Value;
            long rows = height / Config.PatchSize,
                columns = width / Config.PatchSize;
            if (height == width && rows == _side)
                return all.alias();
            Tensor grid = all.narrow(1, 1, (long)_side * _side).reshape(1, _side, _side, Config.Width).permute(0, 3, 1, 2);
            Tensor resized = F.interpolate(
                grid,
                scale_factor: [(rows + SizeOffset) / _side, (columns + SizeOffset) / _side],
                mode: InterpolationMode.Bicubic,
                align_corners: false
            );
            return cat([all.narrow(1, 0, 1), resized.permute(0, 2, 3, 1).reshape(1, rows * columns, Config.Width)], 1);
        });
    }

    /// <summary>
    /// Frees the weights. Waits for forward passes running in other threads; later ones throw <see cref="ObjectDisposedException"/>. Further calls do nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();

    private Tensor Embedded(Tensor pixels)
    {
        Shape.Require(pixels, [-1, 3, -1, -1]);
        if (pixels.shape[2] < Config.PatchSize || pixels.shape[3] < Config.PatchSize)
            throw new ArgumentException($"no patch of {Config.PatchSize} pixels fits a picture of {pixels.shape[3]} x {pixels.shape[2]}", nameof(pixels));
        return Lifetime.Scoped(() =>
        {
            Tensor patches = _patches.Forward(pixels).flatten(2).transpose(1, 2);
            Tensor first = _class.Value.to(patches.dtype).expand(pixels.shape[0], -1, -1);
            return cat([first, patches], 1).Plus(Positions(pixels.shape[2], pixels.shape[3]).to(patches.dtype));
        });
    }

    private sealed class Block
    {
        private readonly LayerNorm _norm1;
        private readonly Linear _qkv;
        private readonly Linear _out;
        private readonly LayerNorm _norm2;
        private readonly Linear _fc1;
        private readonly Linear _fc2;
        private readonly int _heads;

        public Block(WeightPath at, DinoConfig config)
        {
            int d = config.Width,
                inner = (int)(d * config.MlpRatio);
            _heads = config.Heads;
            _norm1 = new LayerNorm(at["norm1"], d, Epsilon);
            _qkv = new Linear(at["attn"]["qkv"], d, 3 * d, config.QkvBias);
            _out = new Linear(at["attn"]["proj"], d, d);
            _norm2 = new LayerNorm(at["norm2"], d, Epsilon);
            _fc1 = new Linear(at["mlp"]["fc1"], d, inner);
            _fc2 = new Linear(at["mlp"]["fc2"], inner, d);
        }

        public Tensor Forward(Tensor x) =>
            Lifetime.Scoped(() =>
            {
                Tensor qkv = Split(x);
                Tensor attended = F.scaled_dot_product_attention(qkv.select(0, 0), qkv.select(0, 1), qkv.select(0, 2));
                Tensor h = x.Plus(_out.Forward(attended.transpose(1, 2).flatten(2)));
                return h.Plus(_fc2.Forward(F.gelu(_fc1.Forward(_norm2.Forward(h)))));
            });

        public Tensor Keys(Tensor x) => Lifetime.Scoped(() => Split(x).select(0, 1));

        /// <summary>Queries, keys and values, [3, B, heads, tokens, width / heads].</summary>
        private Tensor Split(Tensor x)
        {
            long b = x.shape[0],
                n = x.shape[1],
                d = x.shape[2];
            return _qkv.Forward(_norm1.Forward(x)).view(b, n, 3, _heads, d / _heads).permute(2, 0, 3, 1, 4);
        }
    }
}
