using NullTextResearch.Weights;

namespace NullTextResearch.Vae;

/// <summary>Architecture of an <see cref="AutoencoderKL"/>, as in diffusers' <c>vae/config.json</c>.</summary>
public sealed record VaeConfig
{
    // At least ten times the values of any published model: a damaged number is rejected before a network of that size is declared.
    private const int MostChannels = 1 << 16;
    private const int MostLevels = 12;
    private const int MostLayers = 64;
    private const int MostSide = 1 << 16;

    /// <summary>Channels per resolution, finest first; neighbouring resolutions differ by a factor of two.</summary>
    public IReadOnlyList<int> BlockOutChannels { get; init; } = [128, 256, 512, 512];

    /// <summary>Residual blocks per resolution in the encoder; one more in the decoder.</summary>
    public int LayersPerBlock { get; init; } = 2;

    /// <summary>Channels of the latents.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Colour channels.</summary>
    public int ImageChannels { get; init; } = 3;

    /// <summary>Groups of every group normalisation.</summary>
    public int NormNumGroups { get; init; } = 32;

    /// <summary>Pixels per side the network was trained at.</summary>
    public int SampleSize { get; init; } = 512;

    /// <summary>Factor between the encoder's mean and the latents that diffusion sees; applied only in <see cref="AutoencoderKL"/>.</summary>
    public double ScalingFactor { get; init; } = 0.18215;

    /// <summary>Pixels per latent, along each side.</summary>
    public int Downscale => 1 << (BlockOutChannels.Count - 1);

    /// <summary>The sizes of Stable Diffusion 1.x.</summary>
    public static VaeConfig StableDiffusion1 { get; } = new();

    /// <summary>The sizes of Stable Diffusion 2.x at 768 pixels; the same network.</summary>
    public static VaeConfig StableDiffusion2 { get; } = new() { SampleSize = 768 };

    /// <summary>Reads a config.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or asks for an unsupported feature.</exception>
    public static VaeConfig Read(ConfigReader json)
    {
        foreach (string type in json.Texts("down_block_types"))
            json.RequireEqual("down_block_types", type, "DownEncoderBlock2D");
        foreach (string type in json.Texts("up_block_types"))
            json.RequireEqual("up_block_types", type, "UpDecoderBlock2D");
        json.RequireEqual("act_fn", json.Text("act_fn", "silu"), "silu");
        json.RequireEqual("in_channels", json.Int("in_channels", 3), json.Int("out_channels", 3));
        json.RequireAbsent("shift_factor");
        json.RequireAbsent("latents_mean");
        json.RequireAbsent("latents_std");
        json.RequireAbsent("use_quant_conv", "true");
        json.RequireAbsent("use_post_quant_conv", "true");
        json.RequireAbsent("mid_block_add_attention", "true");
        VaeConfig config = new()
        {
            BlockOutChannels = json.Ints("block_out_channels", null, 1, MostChannels),
            LayersPerBlock = json.Int("layers_per_block", 1, 1, MostLayers),
            LatentChannels = json.Int("latent_channels", 4, 1, MostChannels),
            ImageChannels = json.Int("in_channels", 3, 1, MostChannels),
            NormNumGroups = json.Int("norm_num_groups", 32, 1, MostChannels),
            SampleSize = json.Int("sample_size", 512, 1, MostSide),
            ScalingFactor = json.Number("scaling_factor", 0.18215, 1e-6, 1e6),
        };
        config.Require(json.Source);
        return config;
    }

    /// <summary>Rejects a wrong number of levels, and channels that cannot be split into the groups.</summary>
    /// <param name="source">File name used in the message.</param>
    /// <exception cref="ModelFormatException">There are no levels or too many, or channels do not split into the groups.</exception>
    internal void Require(string source)
    {
        if (BlockOutChannels.Count is 0 or > MostLevels)
            throw new ModelFormatException($"{source}: block_out_channels has {BlockOutChannels.Count} entries; expected 1 to {MostLevels}.");
        foreach (int channels in BlockOutChannels)
        {
            if (channels % NormNumGroups != 0)
                throw new ModelFormatException(
                    $"{source}: the {channels} channels of block_out_channels cannot be split into the {NormNumGroups} groups of norm_num_groups."
                );
        }
    }
}
