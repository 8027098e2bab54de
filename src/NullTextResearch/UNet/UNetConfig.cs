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

    /// <summary>
    /// Attention scores in float32 where they are made explicitly and the network runs at lower precision (Stable Diffusion 2.1, whose scores
    /// leave the range of float16). The fused kernel keeps its scores in float32 anyway.
    /// </summary>
    public bool UpcastAttention { get; init; }

    /// <summary>The sizes of Stable Diffusion 1.x.</summary>
    public static UNetConfig StableDiffusion1 { get; } = new();

    /// <summary>The sizes of Stable Diffusion 2.x base (512 pixels).</summary>
    public static UNetConfig StableDiffusion2Base { get; } = new() { CrossAttentionDim = 1024, Heads = [5, 10, 20, 20], UseLinearProjection = true };

    /// <summary>The sizes of Stable Diffusion 2.x (768 pixels); the same network as <see cref="StableDiffusion2Base"/>.</summary>
    public static UNetConfig StableDiffusion2 { get; } = StableDiffusion2Base with { SampleSize = 96, UpcastAttention = true };

    /// <summary>Reads a config.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or asks for something not implemented.</exception>
    public static UNetConfig Read(ConfigReader json)
    {
        IReadOnlyList<int> channels = json.Ints("block_out_channels");
        json.RequireEqual("act_fn", json.Text("act_fn", "silu"), "silu");
        json.RequireEqual("mid_block_scale_factor", json.Number("mid_block_scale_factor", 1), 1);
        json.RequireEqual("center_input_sample", json.Flag("center_input_sample", false), false);
        json.RequireEqual("dual_cross_attention", json.Flag("dual_cross_attention", false), false);
        foreach (string unused in (string[])["class_embed_type", "num_class_embeds", "addition_embed_type", "encoder_hid_dim", "encoder_hid_dim_type", "time_cond_proj_dim", "timestep_post_act", "cross_attention_norm", "reverse_transformer_layers_per_block"])
            json.RequireAbsent(unused);
        json.RequireAbsent("only_cross_attention", "false");
        json.RequireAbsent("transformer_layers_per_block", "1");
        json.RequireAbsent("conv_in_kernel", "3");
        json.RequireAbsent("conv_out_kernel", "3");
        json.RequireEqual("resnet_time_scale_shift", json.Text("resnet_time_scale_shift", "default"), "default");
        json.RequireEqual("time_embedding_type", json.Text("time_embedding_type", "positional"), "positional");
        json.RequireEqual("mid_block_type", json.Text("mid_block_type", "UNetMidBlock2DCrossAttn"), "UNetMidBlock2DCrossAttn");
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
            // Both fields hold numbers of heads; the newer one wins where it is set.
            Heads = json.Ints(json.Has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", channels.Count),
            CrossAttentionDim = json.Int("cross_attention_dim"),
            NormNumGroups = json.Int("norm_num_groups", 32),
            NormEps = json.Number("norm_eps", 1e-5),
            FlipSinToCos = json.Flag("flip_sin_to_cos", true),
            FreqShift = json.Number("freq_shift", 0),
            UseLinearProjection = json.Flag("use_linear_projection", false),
            DownsamplePadding = json.Int("downsample_padding", 1),
            UpcastAttention = json.Flag("upcast_attention", false),
        };
    }
}
