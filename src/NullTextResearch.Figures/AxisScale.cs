namespace NullTextResearch.Figures;

/// <summary>How values are spread along an axis.</summary>
public enum AxisScale
{
    /// <summary>Equal distances for equal differences.</summary>
    Linear,

    /// <summary>Equal distances for equal ratios (base 10); values of zero or below are left out.</summary>
    Log,
}
