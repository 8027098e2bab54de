using NullTextResearch.Weights;

namespace NullTextResearch.UNet;

/// <summary>Architecture of a <see cref="UNet2DConditionModel"/>, field for field as in diffusers' <c>unet/config.json</c>.</summary>
public sealed record UNetConfig
{
    // At least ten times the values of any published model: a damaged number is rejected before a network of that size is declared.
    private const int MostChannels = 1 << 16;
    private const int MostLevels = 12;
    private const int MostLayers = 64;
    private const int MostSide = 1 << 14;

    /// <summary>Latent height and width the network was trained at.</summary>
    public int SampleSize { get; init; } = 64;

    /// <summary>Latent channels in.</summary>
    public int InChannels { get; init; } = 4;

    /// <summary>Noise channels out.</summary>
    public int OutChannels { get; init; } = 4;

    /// <summary>Channels per resolution, finest first.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [320, 640, 1280, 1280];

    /// <summary>For each resolution on the way down: whether it has transformers (CrossAttnDownBlock2D) or not (DownBlock2D).</summary>
    public IReadOnlyList<bool> DownHasAttention { get; init; } = [true, true, true, false];

    /// <summary>For each resolution on the way up, coarsest first: whether it has transformers.</summary>
    public IReadOnlyList<bool> UpHasAttention { get; init; } = [false, true, true, true];

    /// <summary>Residual blocks per resolution on the way down; one more on the way up.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Number of attention heads per resolution. diffusers calls it attention_head_dim, because of an old mistake.</summary>
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
    /// Attention scores in float32 if they are made explicitly and the network runs at lower precision (Stable Diffusion 2.1, whose scores exceed the
    /// range of float16). The fused kernel keeps its scores in float32 anyway.
    /// </summary>
    public bool UpcastAttention { get; init; }

    /// <summary>The sizes of Stable Diffusion 1.x.</summary>
    public static UNetConfig StableDiffusion1 { get; } = new();

    /// <summary>The sizes of Stable Diffusion 2.x base (512 pixels).</summary>
    public static UNetConfig StableDiffusion2Base { get; } =
        new()
        {
            CrossAttentionDim = 1024,
            Heads = [5, 10, 20, 20],
            UseLinearProjection = true,
        };

    /// <summary>The sizes of Stable Diffusion 2.x (768 pixels); the same network as <see cref="StableDiffusion2Base"/>.</summary>
    public static UNetConfig StableDiffusion2 { get; } = StableDiffusion2Base with { SampleSize = 96, UpcastAttention = true };

    /// <summary>Reads a config.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or asks for an unsupported feature.</exception>
    public static UNetConfig Read(ConfigReader json)
    {
        IReadOnlyList<int> channels = json.Ints("block_out_channels", null, 1, MostChannels);
        if (channels.Count is 0 or > MostLevels)
            throw new ModelFormatException($"{json.Source}: block_out_channels has {channels.Count} entries; expected 1 to {MostLevels}.");
        json.RequireEqual("act_fn", json.Text("act_fn", "silu"), "silu");
        json.RequireEqual("mid_block_scale_factor", json.Number("mid_block_scale_factor", 1), 1);
        json.RequireEqual("center_input_sample", json.Flag("center_input_sample", false), false);
        json.RequireEqual("dual_cross_attention", json.Flag("dual_cross_attention", false), false);
        foreach (
            string unused in (string[])
                [
                    "class_embed_type",
                    "num_class_embeds",
                    "addition_embed_type",
                    "encoder_hid_dim",
                    "encoder_hid_dim_type",
                    "time_cond_proj_dim",
                    "timestep_post_act",
                    "cross_attention_norm",
                    "reverse_transformer_layers_per_block",
                ]
        )
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
            bool[] kinds =
            [
                .. json.Texts(field).Select(t => t == attention || (t == plain ? false : throw json.Unsupported(field, t, $"{plain} and {attention}"))),
            ];
            if (kinds.Length != channels.Count)
                throw new ModelFormatException($"{json.Source}: {field} has {kinds.Length} entries, but block_out_channels has {channels.Count}.");
            return kinds;
        }

        UNetConfig config = new()
        {
            SampleSize = json.Int("sample_size", 64, 1, MostSide),
            InChannels = json.Int("in_channels", 4, 1, MostChannels),
            OutChannels = json.Int("out_channels", 4, 1, MostChannels),
            BlockOutChannels = channels,
            DownHasAttention = Kinds("down_block_types", "DownBlock2D", "CrossAttnDownBlock2D"),
            UpHasAttention = Kinds("up_block_types", "UpBlock2D", "CrossAttnUpBlock2D"),
            LayersPerBlock = json.Int("layers_per_block", 2, 1, MostLayers),
            // Both fields hold numbers of heads; the newer one wins if it is set.
            Heads = json.Ints(json.Has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", channels.Count, 1, MostChannels),
            CrossAttentionDim = json.Int("cross_attention_dim", null, 1, MostChannels),
            NormNumGroups = json.Int("norm_num_groups", 32, 1, MostChannels),
            NormEps = json.Number("norm_eps", 1e-5, 0, 1),
            FlipSinToCos = json.Flag("flip_sin_to_cos", true),
            FreqShift = json.Number("freq_shift", 0, -1, 1),
            UseLinearProjection = json.Flag("use_linear_projection", false),
            DownsamplePadding = json.Int("downsample_padding", 1, 0, 1),
            UpcastAttention = json.Flag("upcast_attention", false),
        };
        config.Require(json.Source);
        return config;
    }

    /// <summary>Rejects channels that cannot be split into the groups or the heads.</summary>
    /// <param name="source">File name used in the message.</param>
    /// <exception cref="ModelFormatException">Channels do not split into the groups or the heads.</exception>
    internal void Require(string source)
    {
        foreach ((int level, int channels) in BlockOutChannels.Index())
        {
            if (channels % NormNumGroups != 0)
                throw new ModelFormatException(
                    $"{source}: the {channels} channels of block_out_channels cannot be split into the {NormNumGroups} groups of norm_num_groups."
                );
            bool attends = DownHasAttention[level] || UpHasAttention[UpHasAttention.Count - 1 - level] || level == BlockOutChannels.Count - 1;
            if (attends && channels % Heads[level] != 0)
                throw new ModelFormatException(
                    $"{source}: the {channels} channels of block_out_channels cannot be split into the {Heads[level]} heads of attention_head_dim."
                );
        }
    }
}
