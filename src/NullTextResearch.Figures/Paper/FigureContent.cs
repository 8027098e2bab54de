namespace NullTextResearch.Figures.Paper;

/// <summary>The content of a figure before it is written to files.</summary>
public sealed record FigureContent
{
    /// <summary>What it shows, and how.</summary>
    public required string Caption { get; init; }

    /// <summary>What the paper found.</summary>
    public required string Paper { get; init; }

    /// <summary>What this run found, in computed numbers.</summary>
    public required string Found { get; init; }

    /// <summary>What the paper claims here, each with its verdict.</summary>
    public IReadOnlyList<Claim> Claims { get; init; } = [];

    /// <summary>Charts by name (a part of a file name).</summary>
    public IReadOnlyList<(string Name, Chart Chart)> Charts { get; init; } = [];

    /// <summary>Picture grids by name.</summary>
    public IReadOnlyList<(string Name, ImageGrid Grid, string AltText)> Grids { get; init; } = [];

    /// <summary>Tables by name.</summary>
    public IReadOnlyList<(string Name, TableData Table)> Tables { get; init; } = [];
}
