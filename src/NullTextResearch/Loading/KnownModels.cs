using NullTextResearch.Diffusion;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;

namespace NullTextResearch.Loading;

/// <summary>The published models that this library runs.</summary>
public static class KnownModels
{
    /// <summary>Stable Diffusion 1.1 to 1.5: 512 pixels, CLIP ViT-L/14, predicts noise.</summary>
    public static KnownModel StableDiffusion1 { get; } =
        new("Stable Diffusion 1.x", UNetConfig.StableDiffusion1, VaeConfig.StableDiffusion1, ClipTextConfig.StableDiffusion1, new ScheduleConfig());

    /// <summary>Stable Diffusion 2.0 and 2.1 base: 512 pixels, OpenCLIP ViT-H/14, predicts noise.</summary>
    public static KnownModel StableDiffusion2Base { get; } =
        new("Stable Diffusion 2.x base", UNetConfig.StableDiffusion2Base, VaeConfig.StableDiffusion1, ClipTextConfig.StableDiffusion2, new ScheduleConfig());

    /// <summary>Stable Diffusion 2.0 and 2.1: 768 pixels, OpenCLIP ViT-H/14, predicts velocity.</summary>
    public static KnownModel StableDiffusion2 { get; } =
        new(
            "Stable Diffusion 2.x (768)",
            UNetConfig.StableDiffusion2,
            VaeConfig.StableDiffusion2,
            ClipTextConfig.StableDiffusion2,
            new ScheduleConfig { Prediction = PredictionType.Velocity }
        );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<KnownModel> All { get; } = [StableDiffusion1, StableDiffusion2Base, StableDiffusion2];

    /// <summary>The known model nearest to a U-Net, and how the two differ.</summary>
    /// <param name="unet">The U-Net found.</param>
    /// <returns>A sentence.</returns>
    public static string Nearest(UNetConfig unet)
    {
        (KnownModel model, string[] differences) = All.Select(m => (m, Differences(unet, m.UNet))).MinBy(p => p.Item2.Length);
        return differences.Length == 0
            ? $"The U-Net is that of {model.Name}."
            : $"The nearest known model is {model.Name}; the U-Net differs in: {string.Join("; ", differences)}.";
    }

    /// <summary>The text encoder that produces embeddings of a given width.</summary>
    internal static string TextEncoderOf(long width) =>
        width switch
        {
            768 => "CLIP ViT-L/14, the text encoder of Stable Diffusion 1.x",
            1024 => "OpenCLIP ViT-H/14, the text encoder of Stable Diffusion 2.x",
            1280 => "OpenCLIP ViT-bigG/14, the second text encoder of Stable Diffusion XL",
            2048 => "the two text encoders of Stable Diffusion XL together",
            _ => "no text encoder of a known model",
        };

    private static string[] Differences(UNetConfig found, UNetConfig known)
    {
        List<string> differences = [];
        Compare("block_out_channels", List(found.BlockOutChannels), List(known.BlockOutChannels));
        Compare("cross_attention_dim", found.CrossAttentionDim, known.CrossAttentionDim);
        Compare("layers_per_block", found.LayersPerBlock, known.LayersPerBlock);
        Compare("in_channels", found.InChannels, known.InChannels);
        Compare("out_channels", found.OutChannels, known.OutChannels);
        Compare("attention_head_dim", List(found.Heads), List(known.Heads));
        Compare("use_linear_projection", found.UseLinearProjection, known.UseLinearProjection);
        Compare("levels with attention", List(found.DownHasAttention), List(known.DownHasAttention));
        Compare("sample_size", found.SampleSize, known.SampleSize);
        return [.. differences];

        void Compare<T>(string name, T found, T known)
        {
            if (!EqualityComparer<T>.Default.Equals(found, known))
                differences.Add($"{name} {found} instead of {known}");
        }

        static string List<T>(IEnumerable<T> values) => $"[{string.Join(", ", values)}]";
    }
}
