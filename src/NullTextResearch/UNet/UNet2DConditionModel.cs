using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.UNet;

/// <summary>
/// The noise-predicting U-Net of Stable Diffusion; modules and keys match diffusers' class of the same name. By default, weights take no gradient;
/// gradients reach the text embedding.
/// </summary>
/// <remarks>
/// Several threads may use it at the same time, each with its own attention processor. After <see cref="Dispose"/>, every use throws an
/// <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class UNet2DConditionModel : IDisposable
{
    private readonly Conv2d _convIn;
    private readonly WeightPath _timeAt;
    private readonly Linear _time1;
    private readonly Linear _time2;
    private readonly List<DownBlock> _down = [];
    private readonly MidBlock _mid;
    private readonly List<UpBlock> _up = [];
    private readonly GroupNorm _normOut;
    private readonly Conv2d _convOut;
    private readonly List<AttentionSite> _sites = [];
    private readonly List<ResidualSite> _residualSites = [];
    private readonly IReadOnlyList<UNetSegment> _segments;

    /// <summary>Declares the network; nothing is allocated until weights are loaded or initialised.</summary>
    public UNet2DConditionModel(UNetConfig config)
    {
        Config = config;
        Weights = new WeightSet(nameof(UNet2DConditionModel));
        TimeProjection = new SinusoidalProjection(ScalarType.Float32, config.FlipSinToCos, config.FreqShift);
        WeightPath root = Weights.Root;
        IReadOnlyList<int> channels = config.BlockOutChannels;
        int levels = channels.Count;
        long time = 4L * channels[0];
        int blocks =
            (config.DownHasAttention.Count(has => has) * config.LayersPerBlock) + 1 + (config.UpHasAttention.Count(has => has) * (config.LayersPerBlock + 1));
        _convIn = new Conv2d(root["conv_in"], config.InChannels, channels[0]);
        _timeAt = root["time_embedding"];
        _time1 = new Linear(_timeAt["linear_1"], channels[0], time);
        _time2 = new Linear(_timeAt["linear_2"], time, time);
        for (int i = 0; i < levels; i++)
        {
            int level = i;
            _down.Add(
                new DownBlock(
                    root["down_blocks"][i],
                    i == 0 ? channels[0] : channels[i - 1],
                    channels[i],
                    config,
                    config.DownHasAttention[i] ? config.Heads[i] : null,
                    isLast: i == levels - 1,
                    time,
                    SiteAt(UNetStage.Down, level, level),
                    ResidualAt(UNetStage.Down, level)
                )
            );
        }
        _mid = new MidBlock(
            root["mid_block"],
            channels[^1],
            config,
            config.Heads[^1],
            time,
            SiteAt(UNetStage.Mid, 0, levels - 1),
            ResidualAt(UNetStage.Mid, 0)
        );
        for (int i = 0; i < levels; i++)
        {
            int previous = channels[levels - 1 - Math.Max(i - 1, 0)];
            int output = channels[levels - 1 - i];
            int input = channels[Math.Max(levels - 2 - i, 0)];
            _up.Add(
                new UpBlock(
                    root["up_blocks"][i],
                    input,
                    previous,
                    output,
                    config,
                    config.UpHasAttention[i] ? config.Heads[levels - 1 - i] : null,
                    isLast: i == levels - 1,
                    time,
                    SiteAt(UNetStage.Up, i, levels - 1 - i),
                    ResidualAt(UNetStage.Up, i)
                )
            );
        }
        _normOut = new GroupNorm(root["conv_norm_out"], config.NormNumGroups, channels[0], config.NormEps);
        _convOut = new Conv2d(root["conv_out"], channels[0], config.OutChannels);
        _segments =
        [
            new(TakesSkip: false, LeavesSkip: true, SeesText: false, input => _convIn.Forward(input.X)),
            .. _down.SelectMany(block => block.Segments()),
            _mid.Segment(),
            .. _up.SelectMany(block => block.Segments()),
            new(TakesSkip: false, LeavesSkip: false, SeesText: false, input => Lifetime.Scoped(() => _convOut.Forward(F.silu(_normOut.Forward(input.X))))),
        ];

        Func<WeightPath, int, ResidualSite> ResidualAt(UNetStage stage, int block) =>
            (path, layer) =>
            {
                ResidualSite site = new(path.Prefix, stage, block, layer, _residualSites.Count);
                _residualSites.Add(site);
                return site;
            };

        Func<int, Func<WeightPath, AttentionKind, int, AttentionSite>> SiteAt(UNetStage stage, int block, int halvings) =>
            layer =>
                (path, kind, heads) =>
                {
                    // Each halving rounds up.
                    int ownSide = (config.SampleSize + (1 << halvings) - 1) >> halvings;
                    AttentionSite site = new(path.Prefix, stage, block, layer, kind, _sites.Count, heads)
                    {
                        Halvings = halvings,
                        OwnSide = ownSide,
                        Blocks = blocks,
                        FinestSide = config.SampleSize,
                    };
                    _sites.Add(site);
                    return site;
                };
    }

    /// <summary>Architecture.</summary>
    public UNetConfig Config { get; }

    /// <summary>All weights, by their diffusers keys.</summary>
    public WeightSet Weights { get; }

    /// <summary>All residual blocks, in the order in which they run.</summary>
    public IReadOnlyList<ResidualSite> ResidualSites => _residualSites;

    /// <summary>All attention layers, in the order in which they run.</summary>
    public IReadOnlyList<AttentionSite> Sites => _sites;

    /// <summary>How timesteps become sinusoids.</summary>
    public ITimeProjection TimeProjection { get; set; }

    /// <summary>Device of the weights.</summary>
    public Device Device => Weights.Device;

    /// <summary>Precision of the weights.</summary>
    public ScalarType Dtype => Weights.Dtype;

    /// <summary>Predicts the noise in latents.</summary>
    /// <param name="latents">z_t, [B, 4, H, W], in the dtype to compute in; borrowed.</param>
    /// <param name="timesteps">Network timesteps 0..999, integer [B] or [1]; borrowed.</param>
    /// <param name="condition">Text embedding [B, tokens, d], same dtype as the latents, and what its rows are; borrowed.</param>
    /// <param name="hook">Called at attention layers and residual blocks; null for fused attention.</param>
    /// <param name="step">Sampling step passed to the hook.</param>
    /// <returns>Noise prediction, shape of the latents; owned by the caller's dispose scope.</returns>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public Tensor Forward(Tensor latents, Tensor timesteps, Conditioning condition, INetworkHook? hook = null, int step = 0)
    {
        Shape.Require(latents, [-1, Config.InChannels, -1, -1]);
        long batch = latents.shape[0];
        Shape.Require(condition.Tokens, [batch, -1, Config.CrossAttentionDim]);
        if (condition.ValueTokens is { } values)
            Shape.RequireSame(values, condition.Tokens);
        using UseGate.Lease use = Weights.Use();
        using DisposeScope scope = NewDisposeScope();
        UNetPass pass = new(condition.Tokens, condition.Layout(), hook ?? FusedAttention.Instance, step, condition.ValueTokens);
        return Run(latents, timesteps, pass, null).MoveToOuterDisposeScope();
    }

    /// <summary>As <see cref="Forward"/> with fused attention and without recording; the result can be differentiated segment by segment.</summary>
    /// <returns>A tape whose tensors belong to the caller's dispose scope.</returns>
    internal SegmentTape Record(Tensor latents, Tensor timesteps, Tensor text, int step)
    {
        Shape.Require(latents, [-1, Config.InChannels, -1, -1]);
        Shape.Require(text, [latents.shape[0], -1, Config.CrossAttentionDim]);
        using UseGate.Lease use = Weights.Use();
        using IDisposable grad = no_grad();
        SegmentInput[] inputs = new SegmentInput[_segments.Count];
        Tensor prediction = Run(latents, timesteps, new UNetPass(text, BatchLayout.Sources((int)latents.shape[0]), FusedAttention.Instance, step), inputs);
        return new SegmentTape(Weights, _segments, inputs, prediction);
    }

    // Runs all segments in the current dispose scope. Feature maps that are no longer needed are freed on the way; inputs, if given, keeps what each
    // segment got.
    private Tensor Run(Tensor latents, Tensor timesteps, UNetPass pass, SegmentInput[]? inputs)
    {
        Tensor sinusoids = TimeProjection.Project(timesteps.expand(latents.shape[0]), Config.BlockOutChannels[0]).to(latents.dtype);
        Tensor time = F.silu(_timeAt.Observed(_time2.Forward(F.silu(_time1.Forward(sinusoids)))));
        Stack<Tensor> skips = new();
        Tensor x = latents;
        bool isOurs = false;
        for (int i = 0; i < _segments.Count; i++)
        {
            UNetSegment segment = _segments[i];
            Tensor? skip = segment.TakesSkip ? skips.Pop() : null;
            SegmentInput input = new(x, skip, skips.TryPeek(out Tensor? next) ? next.shape : null, time, pass);
            Tensor y = segment.Run(input);
            if (inputs is not null)
            {
                inputs[i] = input;
            }
            else
            {
                // If gradients are recorded, this frees handles, not memory: the graph has its own references.
                if (isOurs)
                    x.Dispose();
                skip?.Dispose();
            }
            if (segment.LeavesSkip)
                skips.Push(y);
            isOurs = !segment.LeavesSkip;
            x = y;
        }
        return x;
    }

    /// <summary>
    /// Frees the weights. Waits for passes running in other threads; later passes throw <see cref="ObjectDisposedException"/>. A second call does nothing.
    /// </summary>
    public void Dispose() => Weights.Dispose();

    private sealed class DownBlock
    {
        private readonly WeightPath _at;
        private readonly List<ResnetBlock> _resnets = [];
        private readonly List<ResidualSite> _residuals = [];
        private readonly List<SpatialTransformer> _attentions = [];
        private readonly Conv2d? _downsample;
        private readonly WeightPath _downsampleAt;

        public DownBlock(
            WeightPath at,
            int from,
            int to,
            UNetConfig config,
            int? heads,
            bool isLast,
            long time,
            Func<int, Func<WeightPath, AttentionKind, int, AttentionSite>> site,
            Func<WeightPath, int, ResidualSite> residual
        )
        {
            _at = at;
            for (int j = 0; j < config.LayersPerBlock; j++)
            {
                _resnets.Add(new ResnetBlock(at["resnets"][j], j == 0 ? from : to, to, config.NormNumGroups, config.NormEps, time));
                _residuals.Add(residual(at["resnets"][j], j));
                if (heads is { } h)
                    _attentions.Add(new SpatialTransformer(at["attentions"][j], to, h, config, site(j)));
            }
            _downsampleAt = at["downsamplers"][0];
            if (!isLast)
                _downsample = new Conv2d(_downsampleAt["conv"], to, to, stride: 2, padding: config.DownsamplePadding);
        }

        public IEnumerable<UNetSegment> Segments()
        {
            for (int j = 0; j < _resnets.Count; j++)
            {
                int layer = j;
                bool isEnd = _downsample is null && j == _resnets.Count - 1;
                yield return new(
                    TakesSkip: false,
                    LeavesSkip: true,
                    SeesText: _attentions.Count > 0,
                    input =>
                        Lifetime.Scoped(() =>
                        {
                            Tensor x = _resnets[layer].Forward(input.X, input.Time, input.Pass.At(_residuals[layer]));
                            if (_attentions.Count > 0)
                                x = _attentions[layer].Forward(x, input.Pass);
                            return isEnd ? _at.Observed(x) : x;
                        })
                );
            }
            if (_downsample is not null)
                yield return new(
                    TakesSkip: false,
                    LeavesSkip: true,
                    SeesText: false,
                    input => _at.Observed(_downsampleAt.Observed(_downsample.Forward(input.X)))
                );
        }
    }

    private sealed class MidBlock
    {
        private readonly WeightPath _at;
        private readonly ResnetBlock _first;
        private readonly SpatialTransformer _attention;
        private readonly ResnetBlock _second;
        private readonly ResidualSite[] _residuals;

        public MidBlock(
            WeightPath at,
            int channels,
            UNetConfig config,
            int heads,
            long time,
            Func<int, Func<WeightPath, AttentionKind, int, AttentionSite>> site,
            Func<WeightPath, int, ResidualSite> residual
        )
        {
            _at = at;
            _residuals = [residual(at["resnets"][0], 0), residual(at["resnets"][1], 1)];
            _first = new ResnetBlock(at["resnets"][0], channels, channels, config.NormNumGroups, config.NormEps, time);
            _attention = new SpatialTransformer(at["attentions"][0], channels, heads, config, site(0));
            _second = new ResnetBlock(at["resnets"][1], channels, channels, config.NormNumGroups, config.NormEps, time);
        }

        public UNetSegment Segment() =>
            new(
                TakesSkip: false,
                LeavesSkip: false,
                SeesText: true,
                input =>
                    Lifetime.Scoped(() =>
                    {
                        Tensor x = _first.Forward(input.X, input.Time, input.Pass.At(_residuals[0]));
                        x = _attention.Forward(x, input.Pass);
                        return _at.Observed(_second.Forward(x, input.Time, input.Pass.At(_residuals[1])));
                    })
            );
    }

    private sealed class UpBlock
    {
        private readonly WeightPath _at;
        private readonly List<ResnetBlock> _resnets = [];
        private readonly List<ResidualSite> _residuals = [];
        private readonly List<SpatialTransformer> _attentions = [];
        private readonly Upsample? _upsample;

        public UpBlock(
            WeightPath at,
            int input,
            int previous,
            int output,
            UNetConfig config,
            int? heads,
            bool isLast,
            long time,
            Func<int, Func<WeightPath, AttentionKind, int, AttentionSite>> site,
            Func<WeightPath, int, ResidualSite> residual
        )
        {
            _at = at;
            int layers = config.LayersPerBlock + 1;
            for (int j = 0; j < layers; j++)
            {
                int skip = j == layers - 1 ? input : output;
                int from = j == 0 ? previous : output;
                _resnets.Add(new ResnetBlock(at["resnets"][j], from + skip, output, config.NormNumGroups, config.NormEps, time));
                _residuals.Add(residual(at["resnets"][j], j));
                if (heads is { } h)
                    _attentions.Add(new SpatialTransformer(at["attentions"][j], output, h, config, site(j)));
            }
            if (!isLast)
                _upsample = new Upsample(at["upsamplers"][0], output);
        }

        public IEnumerable<UNetSegment> Segments()
        {
            for (int j = 0; j < _resnets.Count; j++)
            {
                int layer = j;
                bool isEnd = _upsample is null && j == _resnets.Count - 1;
                yield return new(
                    TakesSkip: true,
                    LeavesSkip: false,
                    SeesText: _attentions.Count > 0,
                    input =>
                        Lifetime.Scoped(() =>
                        {
                            Tensor x = _resnets[layer].Forward(cat([input.X, input.Skip!], 1), input.Time, input.Pass.At(_residuals[layer]));
                            if (_attentions.Count > 0)
                                x = _attentions[layer].Forward(x, input.Pass);
                            return isEnd ? _at.Observed(x) : x;
                        })
                );
            }
            // The next skip connection decides the size: sides that are not a power of two halve unevenly.
            if (_upsample is not null)
                yield return new(
                    TakesSkip: false,
                    LeavesSkip: false,
                    SeesText: false,
                    input => _at.Observed(_upsample.Forward(input.X, input.NextSkip![2], input.NextSkip[3]))
                );
        }
    }
}
