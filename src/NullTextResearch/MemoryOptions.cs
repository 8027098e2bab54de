using System.Text.Json.Serialization;

namespace NullTextResearch;

/// <summary>Options that save memory at the cost of time. The defaults save nothing; every setting is independent of the others.</summary>
public sealed record MemoryOptions
{
    /// <summary>The lowest memory use: everything on, tiles of 32 x 32 latents.</summary>
    public static MemoryOptions Least { get; } =
        new()
        {
            Checkpointing = true,
            Sequential = true,
            VaeTile = 32,
            Offload = true,
        };

    /// <summary>
    /// Computes gradients of the U-Net segment by segment: feature maps are kept only between segments (a residual block with its transformer), and each
    /// segment runs again in the backward pass. This costs about one extra forward pass per gradient and needs the memory of one segment instead of all.
    /// Gradients are the same up to rounding. At Stable Diffusion's size and 512 pixels, a gradient takes 0.7 GB beyond the weights instead of 2.0 (16 bits:
    /// 0.35 instead of 1.0).
    /// </summary>
    public bool Checkpointing { get; init; }

    /// <summary>
    /// Sends one row at a time through the U-Net, so the two predictions of classifier-free guidance run one after the other. Rows that an attention processor
    /// needs together (source and targets of an edit) stay together. Predictions are the same up to rounding.
    /// </summary>
    public bool Sequential { get; init; }

    /// <summary>
    /// Side of the autoencoder's tiles in latents, at least 8 (64 are 512 pixels); null (default) processes the whole image at once. Overlapping tiles are
    /// blended. An image that fits into one tile is not changed; a larger one is, slightly, because each tile is normalised and attends on its own.
    /// </summary>
    public int? VaeTile { get; init; }

    /// <summary>Latents that neighbouring tiles share, from 1 to half a tile; null (default) uses a quarter of a tile.</summary>
    public int? VaeTileOverlap { get; init; }

    /// <summary>
    /// Keeps text encoder and autoencoder loaded only while they work. With a GPU they wait in main memory; on a CPU their weights are freed and read from disk
    /// again each time, so the model must have been loaded from disk.
    /// </summary>
    public bool Offload { get; init; }

    /// <summary>The effective overlap in latents; 0 without tiles.</summary>
    [JsonIgnore]
    public int Overlap => VaeTileOverlap ?? (VaeTile ?? 0) / 4;

    /// <summary>Throws one exception that names every option out of range.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public void Validate()
    {
        List<string> problems = [];
        if (VaeTile is < 8)
            problems.Add($"VaeTile is {VaeTile}; it must be at least 8 latents, or null for no tiles.");
        if (VaeTile is null && VaeTileOverlap is not null)
            problems.Add($"VaeTileOverlap is {VaeTileOverlap}, but there are no tiles; set VaeTile too.");
        if (VaeTile is >= 8 and var tile && (Overlap < 1 || Overlap > tile / 2))
            problems.Add($"VaeTileOverlap is {Overlap}; it must lie between 1 and {tile / 2}, half a tile.");
        if (problems.Count > 0)
            throw new ArgumentException($"{nameof(MemoryOptions)}: {string.Join(" ", problems)}");
    }

    /// <summary>The enabled settings, in a few words: <c>checkpointing, tiles of 64</c>; <c>none</c> by default.</summary>
    public override string ToString()
    {
        List<string> on = [];
        if (Checkpointing)
            on.Add("checkpointing");
        if (Sequential)
            on.Add("sequential");
        if (VaeTile is { } tile)
            on.Add($"tiles of {tile} (overlap {Overlap})");
        if (Offload)
            on.Add("offload");
        return on.Count == 0 ? "none" : string.Join(", ", on);
    }
}
