using NullTextResearch.Weights;

namespace NullTextResearch.UNet;

/// <summary>Architecture of a <see cref="UNet2DConditionModel"/>, field for field as in diffusers' <c>unet/config.json</c>.</summary>
public sealed record UNetConfig
{
    /// <summary>Latent height and width the network was trained at.</summary>
    public int SampleSize { get; init; } = 64;

    /// <summary>Latent channels in.</summary>
    public int InChannels { get; init; } = 4;

    /// <summary>Noise channels out.</summary>
    public int OutChannels { get; init; } = 4;

    /// <summary>Channels per resolution, finest first.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [320, 640, 1280, 1280];

    /// <summary>For each resolution on the way down: does it have transformers (CrossAttnDownBlock2D) or not (DownBlock2D)?</summary>
    public IReadOnlyList<bool> DownHasAttention { get; init; } = [true, true, true, false];

    /// <summary>For each resolution on the way up, coarsest first: transformers or not?</summary>
    public IReadOnlyList<bool> UpHasAttention { get; init; } = [false, true, true, true];

    /// <summary>Residual blocks per resolution on the way down; one more on the way up.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Number of attention heads per resolution. diffusers calls it attention_head_dim, by an old mistake.</summary>
    public IReadOnlyList<int> Heads { get; init; } = [8, 8, 8, 8];

    /// <summary>Width of the text embedding.</summary>
    public int CrossAttentionDim { get; init; } = 768;

    /// <summary>Groups of every group normalisation.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Epsilon of the residual blocks' normalisations.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Cosines before sines in the timestep embedding.</summary>
    public bool FlipSinToCos { get; init; } = true;

    /// <summary>Frequency shift of the timestep embedding.</summary>
    public double FreqShift { get; init; }

    /// <summary>Transformer entry and exit as linear layers (Stable Diffusion 2) instead of 1x1 convolutions.</summary>
    public bool UseLinearProjection { get; init; }

    /// <summary>Padding of the stride-2 convolutions.</summary>
    public int DownsamplePadding { get; init; } = 1;

    /// <summary>The sizes of Stable Diffusion 1.x.</summary>
    public static UNetConfig StableDiffusion1 { get; } = new();

    /// <summary>Reads a config.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or asks for something not implemented.</exception>
    public static UNetConfig Read(ConfigReader json)
    {
        IReadOnlyList<int> channels = json.Ints("block_out_channels");
        json.RequireEqual("act_fn", json.Text("act_fn", "silu"), "silu");
        json.RequireEqual("mid_block_scale_factor", json.Number("mid_block_scale_factor", 1), 1);
        json.RequireEqual("center_input_sample", json.Flag("center_input_sample", false), false);
        json.RequireEqual("dual_cross_attention", json.Flag("dual_cross_attention", false), false);
        json.RequireEqual("class_embed_type", json.Has("class_embed_type"), false);
        bool[] Kinds(string field, string plain, string attention)
        {
            bool[] kinds = [.. json.Texts(field).Select(t => t == attention || (t == plain ? false
                : throw new ModelFormatException($"{field} holds {t}; only {plain} and {attention} are supported here.")))];
            if (kinds.Length != channels.Count) throw new ModelFormatException($"{field} has {kinds.Length} entries, block_out_channels has {channels.Count}.");
            return kinds;
        }

        return new UNetConfig
        {
            SampleSize = json.Int("sample_size", 64),
            InChannels = json.Int("in_channels", 4),
            OutChannels = json.Int("out_channels", 4),
            BlockOutChannels = channels,
            DownHasAttention = Kinds("down_block_types", "DownBlock2D", "CrossAttnDownBlock2D"),
            UpHasAttention = Kinds("up_block_types", "UpBlock2D", "CrossAttnUpBlock2D"),
            LayersPerBlock = json.Int("layers_per_block", 2),
            Heads = json.Ints("attention_head_dim", channels.Count),
            CrossAttentionDim = json.Int("cross_attention_dim"),
            NormNumGroups = json.Int("norm_num_groups", 32),
            NormEps = json.Number("norm_eps", 1e-5),
            FlipSinToCos = json.Flag("flip_sin_to_cos", true),
            FreqShift = json.Number("freq_shift", 0),
            UseLinearProjection = json.Flag("use_linear_projection", false),
            DownsamplePadding = json.Int("downsample_padding", 1),
        };
    }
}
