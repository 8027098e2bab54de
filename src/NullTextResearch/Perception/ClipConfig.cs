using NullTextResearch.Text;
using NullTextResearch.Weights;

namespace NullTextResearch.Perception;

/// <summary>Architecture of a <see cref="ClipModel"/>; by default OpenAI's ViT-L/14.</summary>
public sealed record ClipConfig
{
    /// <summary>The text transformer.</summary>
    public ClipTextConfig Text { get; init; } = ClipTextConfig.StableDiffusion1;

    /// <summary>The vision transformer.</summary>
    public ClipVisionConfig Vision { get; init; } = new();

    /// <summary>Width of the embedding space shared by texts and pictures.</summary>
    public int ProjectionSize { get; init; } = 768;

    /// <summary>Reads the <c>config.json</c> of transformers' CLIPModel.</summary>
    /// <exception cref="ModelFormatException">A field is missing, or requires something not implemented.</exception>
    public static ClipConfig Read(ConfigReader json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return new ClipConfig
        {
            Text = ClipTextConfig.Read(json.Part("text_config")),
            Vision = ClipVisionConfig.Read(json.Part("vision_config")),
            ProjectionSize = json.Int("projection_dim", 512, 1, 1 << 16),
        };
    }
}
