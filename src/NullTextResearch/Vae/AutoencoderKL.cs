using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Vae;

/// <summary>The KL autoencoder of Stable Diffusion; modules and keys match diffusers' class of the same name.</summary>
/// <remarks>Several threads may use it at the same time. After <see cref="Dispose"/>, every use throws an <see cref="ObjectDisposedException"/>.</remarks>
public sealed class AutoencoderKL : IDisposable
{
    private readonly Encoder _encoder;
    private readonly Conv2d _quant;
    private readonly Conv2d _postQuant;
    private readonly Decoder _decoder;

    /// <summary>Declares the network; nothing is allocated until weights are loaded or initialised.</summary>
    public AutoencoderKL(VaeConfig config)
    {
        Config = config;
        Weights = new WeightSet(nameof(AutoencoderKL));
        _encoder = new Encoder(Weights.Root["encoder"], config);
        _decoder = new Decoder(Weights.Root["decoder"], config);
        long latents = config.LatentChannels;
        _quant = new Conv2d(Weights.Root["quant_conv"], 2 * latents, 2 * latents, kernel: 1, padding: 0);
        _postQuant = new Conv2d(Weights.Root["post_quant_conv"], latents, latents, kernel: 1, padding: 0);
    }

    /// <summary>Architecture.</summary>
    public VaeConfig Config { get; }

    /// <summary>All weights, by their diffusers keys (attention under its newer names to_q, to_k, to_v, to_out.0).</summary>
    public WeightSet Weights { get; }

    /// <summary>Device of the weights.</summary>
    public Device Device => Weights.Device;

    /// <summary>Precision of the weights.</summary>
    public ScalarType Dtype => Weights.Dtype;

    /// <summary>Posterior over unscaled latents.</summary>
    /// <param name="pixels">[B, 3, H, W] in [-1, 1], sides divisible by <see cref="VaeConfig.Downscale"/>; borrowed.</param>
    /// <returns>Mean and log-variance (clamped to [-30, 20]), each [B, 4, H/f, W/f], not yet scaled; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    public (Tensor Mean, Tensor LogVariance) Posterior(Tensor pixels)
    {
        RequirePixels(pixels);
        using UseGate.Lease use = Weights.Use();
        using DisposeScope scope = NewDisposeScope();
        Tensor[] halves = _quant.Forward(_encoder.Forward(pixels)).chunk(2, 1);
        return (halves[0].contiguous().MoveToOuterDisposeScope(), halves[1].Clamped(-30, 20).MoveToOuterDisposeScope());
    }

    /// <summary>Latents of an image: the posterior mean times the scaling factor, without random sampling.</summary>
    /// <param name="pixels">[B, 3, H, W] in [-1, 1]; borrowed.</param>
    /// <returns>z_0, [B, 4, H/f, W/f]; owned by the caller's dispose scope.</returns>
    public Tensor Encode(Tensor pixels) => Lifetime.Scoped(() => Posterior(pixels).Mean.Times(Config.ScalingFactor));

    /// <summary>Decodes latents.</summary>
    /// <param name="latents">[B, 4, h, w], as <see cref="Encode"/> makes them; borrowed.</param>
    /// <returns>[B, 3, h f, w f], about [-1, 1], not clamped; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    public Tensor Decode(Tensor latents) => Lifetime.Scoped(() => DecodeUnscaled(latents.Over(Config.ScalingFactor)));

    /// <summary>Decodes latents that do not carry the scaling factor.</summary>
    /// <param name="latents">[B, 4, h, w] on the scale of the posterior mean; borrowed.</param>
    /// <returns>[B, 3, h f, w f]; owned by the caller's dispose scope.</returns>
    public Tensor DecodeUnscaled(Tensor latents)
    {
        Shape.Require(latents, [-1, Config.LatentChannels, -1, -1]);
        using UseGate.Lease use = Weights.Use();
        return Lifetime.Scoped(() => _decoder.Forward(_postQuant.Forward(latents)));
    }

    /// <summary>Throws unless a batch of images can be encoded.</summary>
    internal void RequirePixels(Tensor pixels)
    {
        Shape.Require(pixels, [-1, Config.ImageChannels, -1, -1]);
        if (pixels.shape[2] % Config.Downscale != 0 || pixels.shape[3] % Config.Downscale != 0)
            throw new ArgumentException(
                $"Image sides must be multiples of {Config.Downscale} pixels, got {pixels.shape[3]}x{pixels.shape[2]}; crop or resize first."
            );
    }

    /// <summary>
    /// Frees the weights. Waits for passes running in other threads; later passes throw <see cref="ObjectDisposedException"/>. A second call does nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();

    private sealed class Encoder
    {
        private readonly Conv2d _convIn;
        private readonly List<(WeightPath At, List<ResnetBlock> Resnets, Conv2d? Down)> _blocks = [];
        private readonly MidBlock _mid;
        private readonly GroupNorm _norm;
        private readonly Conv2d _convOut;

        public Encoder(WeightPath at, VaeConfig config)
        {
            IReadOnlyList<int> channels = config.BlockOutChannels;
            _convIn = new Conv2d(at["conv_in"], config.ImageChannels, channels[0]);
            for (int i = 0; i < channels.Count; i++)
            {
                WeightPath block = at["down_blocks"][i];
                int from = channels[Math.Max(i - 1, 0)],
                    to = channels[i];
                List<ResnetBlock> resnets =
                [
                    .. Enumerable
                        .Range(0, config.LayersPerBlock)
                        .Select(j => new ResnetBlock(block["resnets"][j], j == 0 ? from : to, to, config.NormNumGroups, 1e-6, null)),
                ];
                Conv2d? down = i == channels.Count - 1 ? null : new Conv2d(block["downsamplers"][0]["conv"], to, to, stride: 2, padding: 0);
                _blocks.Add((block, resnets, down));
            }
            _mid = new MidBlock(at["mid_block"], channels[^1], config.NormNumGroups);
            _norm = new GroupNorm(at["conv_norm_out"], config.NormNumGroups, channels[^1], 1e-6);
            _convOut = new Conv2d(at["conv_out"], channels[^1], 2 * config.LatentChannels);
        }

        public Tensor Forward(Tensor pixels)
        {
            Tensor x = _convIn.Forward(pixels);
            foreach ((WeightPath at, List<ResnetBlock> resnets, Conv2d? down) in _blocks)
            {
                foreach (ResnetBlock resnet in resnets)
                    x = x.Then(t => resnet.Forward(t, null));
                // Padding only on the right and at the bottom, as in the original.
                if (down is not null)
                    x = x.Then(t => F.pad(t, [0, 1, 0, 1])).Then(t => at["downsamplers"][0].Observed(down.Forward(t)));
                x = at.Observed(x);
            }
            return x.Then(_mid.Forward).Then(_norm.Forward).Then(t => F.silu(t)).Then(_convOut.Forward);
        }
    }

    private sealed class Decoder
    {
        private readonly Conv2d _convIn;
        private readonly MidBlock _mid;
        private readonly List<(WeightPath At, List<ResnetBlock> Resnets, Upsample? Up)> _blocks = [];
        private readonly GroupNorm _norm;
        private readonly Conv2d _convOut;

        public Decoder(WeightPath at, VaeConfig config)
        {
            int[] channels = [.. config.BlockOutChannels.Reverse()];
            _convIn = new Conv2d(at["conv_in"], config.LatentChannels, channels[0]);
            _mid = new MidBlock(at["mid_block"], channels[0], config.NormNumGroups);
            for (int i = 0; i < channels.Length; i++)
            {
                WeightPath block = at["up_blocks"][i];
                int from = channels[Math.Max(i - 1, 0)],
                    to = channels[i];
                List<ResnetBlock> resnets =
                [
                    .. Enumerable
                        .Range(0, config.LayersPerBlock + 1)
                        .Select(j => new ResnetBlock(block["resnets"][j], j == 0 ? from : to, to, config.NormNumGroups, 1e-6, null)),
                ];
                Upsample? up = i == channels.Length - 1 ? null : new Upsample(block["upsamplers"][0], to);
                _blocks.Add((block, resnets, up));
            }
            _norm = new GroupNorm(at["conv_norm_out"], config.NormNumGroups, channels[^1], 1e-6);
            _convOut = new Conv2d(at["conv_out"], channels[^1], config.ImageChannels);
        }

        public Tensor Forward(Tensor latents)
        {
            Tensor x = _convIn.Forward(latents).Then(_mid.Forward);
            foreach ((WeightPath at, List<ResnetBlock> resnets, Upsample? up) in _blocks)
            {
                foreach (ResnetBlock resnet in resnets)
                    x = x.Then(t => resnet.Forward(t, null));
                if (up is not null)
                    x = x.Then(t => up.Forward(t, 2 * t.shape[2], 2 * t.shape[3]));
                x = at.Observed(x);
            }
            return x.Then(_norm.Forward).Then(t => F.silu(t)).Then(_convOut.Forward);
        }
    }

    private sealed class MidBlock
    {
        private readonly WeightPath _at;
        private readonly ResnetBlock _first;
        private readonly PixelAttention _attention;
        private readonly ResnetBlock _second;

        public MidBlock(WeightPath at, int channels, int groups)
        {
            _at = at;
            _first = new ResnetBlock(at["resnets"][0], channels, channels, groups, 1e-6, null);
            _attention = new PixelAttention(at["attentions"][0], channels, groups);
            _second = new ResnetBlock(at["resnets"][1], channels, channels, groups, 1e-6, null);
        }

        public Tensor Forward(Tensor x) => _at.Observed(_first.Forward(x, null).Then(_attention.Forward).Then(t => _second.Forward(t, null)));
    }

    /// <summary>Self-attention with one head over all pixels.</summary>
    private sealed class PixelAttention
    {
        private readonly WeightPath _at;
        private readonly GroupNorm _norm;
        private readonly Linear _query;
        private readonly Linear _key;
        private readonly Linear _value;
        private readonly Linear _out;

        public PixelAttention(WeightPath at, int channels, int groups)
        {
            _at = at;
            _norm = new GroupNorm(at["group_norm"], groups, channels, 1e-6);
            _query = new Linear(at["to_q"], channels, channels);
            _key = new Linear(at["to_k"], channels, channels);
            _value = new Linear(at["to_v"], channels, channels);
            _out = new Linear(at["to_out"][0], channels, channels);
        }

        public Tensor Forward(Tensor x) =>
            Lifetime.Scoped(() =>
            {
                long b = x.shape[0],
                    c = x.shape[1],
                    h = x.shape[2],
                    w = x.shape[3];
                Tensor t = _norm.Forward(x).view(b, c, h * w).transpose(1, 2);
                Tensor attended = F.scaled_dot_product_attention(_query.Forward(t).unsqueeze(1), _key.Forward(t).unsqueeze(1), _value.Forward(t).unsqueeze(1))
                    .squeeze(1);
                return _at.Observed(_out.Forward(attended).transpose(1, 2).reshape(b, c, h, w).Plus(x));
            });
    }
}
