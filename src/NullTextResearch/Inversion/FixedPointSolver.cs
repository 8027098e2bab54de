namespace NullTextResearch.Inversion;

/// <summary>How the fixed point of a step is approached.</summary>
public enum FixedPointSolver
{
    /// <summary>The map again and again.</summary>
    Picard,

    /// <summary>The mean of the map at the last two iterates (AIDI's "empirical" rule).</summary>
    Averaged,

    /// <summary>Anderson acceleration: the mix of the last iterates whose residuals cancel best (AIDI).</summary>
    Anderson,
}
