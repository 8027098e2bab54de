namespace NullTextResearch.Perception;

/// <summary>Architecture of a <see cref="DinoModel"/>; by default ViT-B/8.</summary>
public sealed record DinoConfig
{
    /// <summary>Width and height of the pictures that the position embeddings were trained for; other sizes are possible.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Width and height of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 8;

    /// <summary>Width of the embedding.</summary>
    public int Width { get; init; } = 768;

    /// <summary>Transformer blocks.</summary>
    public int Depth { get; init; } = 12;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Ratio of the feed-forward width to the embedding width.</summary>
    public double MlpRatio { get; init; } = 4;

    /// <summary>Whether queries, keys and values have a bias.</summary>
    public bool QkvBias { get; init; } = true;

    /// <summary>ViT-B/8 (<c>dino_vitbase8_pretrain</c>), used by PIE-Bench.</summary>
    public static DinoConfig Base8 { get; } = new();

    /// <summary>ViT-B/16 (<c>dino_vitbase16_pretrain</c>).</summary>
    public static DinoConfig Base16 { get; } = new() { PatchSize = 16 };

    /// <summary>ViT-S/8 (<c>dino_deitsmall8_pretrain</c>).</summary>
    public static DinoConfig Small8 { get; } = new() { Width = 384, Heads = 6 };

    /// <summary>ViT-S/16 (<c>dino_deitsmall16_pretrain</c>).</summary>
    public static DinoConfig Small16 { get; } =
        new()
        {
            Width = 384,
            Heads = 6,
            PatchSize = 16,
        };
}
