namespace NullTextResearch.Metrics;

/// <summary>Which pixels structural similarity is averaged over.</summary>
public enum SsimBorder
{
    /// <summary>Those whose window lies inside of the image: the publication's, and older torchmetrics'.</summary>
    Inside,

    /// <summary>All; the image is continued beyond its edges by reflection: newer torchmetrics'.</summary>
    Reflected,
}
