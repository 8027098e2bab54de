using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Perception;

/// <summary>What metrics of the catalogue measure.</summary>
public sealed record MetricInput
{
    /// <summary>The picture to measure: a reconstruction, an edit.</summary>
    public required RgbImage Image { get; init; }

    /// <summary>The picture to compare it with: the original, the true result of an edit. Null if there is none.</summary>
    public RgbImage? Reference { get; init; }

    /// <summary>The pixels that count for masked metrics: everything outside the edited region, for example. Null if there is none.</summary>
    public RegionMask? Mask { get; init; }

    /// <summary>A text that describes the picture; null if there is none.</summary>
    public string? Text { get; init; }

    /// <summary>A text that describes the reference; null if there is none.</summary>
    public string? ReferenceText { get; init; }

    /// <summary>How masks count and how pictures are prepared: as in PIE-Bench's published tables, or corrected.</summary>
    public MaskedMode Mode { get; init; } = MaskedMode.Corrected;

    /// <summary>What is there.</summary>
    public MetricNeeds Has =>
        (Reference is null ? MetricNeeds.None : MetricNeeds.Reference)
        | (Mask is null ? MetricNeeds.None : MetricNeeds.Mask)
        | (Text is null ? MetricNeeds.None : MetricNeeds.Text)
        | (ReferenceText is null ? MetricNeeds.None : MetricNeeds.ReferenceText);
}
