using System.Text.Json.Serialization;

namespace NullTextResearch.Attention;

/// <summary>Which maps an <see cref="AttentionStore"/> keeps.</summary>
public sealed record AttentionStoreOptions
{
    /// <summary>
    /// Layers with a larger <see cref="AttentionSite.OwnSide"/> are not kept. Null (default) follows the released code: it keeps every layer whose map is
    /// smaller than the latents, plus the finest layers in models where those have at most 32 x 32 pixels.
    /// </summary>
    public int? MaxSide { get; init; }

    /// <summary>Keep maps from pixels to text tokens.</summary>
    public bool Cross { get; init; } = true;

    /// <summary>Keep maps from pixels to pixels. They are large: queries squared per head and layer.</summary>
    public bool Self { get; init; }

    /// <summary>Additional filter on the layers; null keeps all.</summary>
    [JsonIgnore]
    public Func<AttentionSite, bool>? Site { get; init; }
}
