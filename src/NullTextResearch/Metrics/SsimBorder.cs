namespace NullTextResearch.Metrics;

/// <summary>Which pixels structural similarity is averaged over.</summary>
public enum SsimBorder
{
    /// <summary>Those whose window lies inside the image, as in the publication and in older versions of torchmetrics.</summary>
    Inside,

    /// <summary>All; the image is extended beyond its edges by reflection, as in newer versions of torchmetrics.</summary>
    Reflected,
}
