namespace NullTextResearch.Figures;

/// <summary>How the spread of a series is drawn.</summary>
public enum SpreadStyle
{
    /// <summary>A filled area between the bounds.</summary>
    Band,

    /// <summary>Whiskers at every point.</summary>
    ErrorBars,
}
