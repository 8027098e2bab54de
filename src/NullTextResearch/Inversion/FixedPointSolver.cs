namespace NullTextResearch.Inversion;

/// <summary>How the fixed point of a step is approached.</summary>
public enum FixedPointSolver
{
    /// <summary>Picard iteration: applies the map repeatedly.</summary>
    Picard,

    /// <summary>The mean of the map at the last two iterates (AIDI's "empirical" rule).</summary>
    Averaged,

    /// <summary>Anderson acceleration: mixes the last iterates so that their residuals cancel best (AIDI).</summary>
    Anderson,
}
