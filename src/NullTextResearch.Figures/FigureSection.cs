namespace NullTextResearch.Figures;

/// <summary>One figure of a report: what it shows, what was expected, what came out, and the evidence. All texts are plain text and are escaped.</summary>
public sealed record FigureSection
{
    /// <summary>
    /// Short identifier, unique in its report and used in links: a letter, then letters, digits, <c>-</c> and <c>_</c>, for example <c>fig04</c>.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>Heading, for example <c>Figure 4: PSNR against inner iterations</c>.</summary>
    public required string Title { get; init; }

    /// <summary>What the figure shows and under which conditions (images, T, N ...), or null. Blank lines separate paragraphs.</summary>
    public string? Caption { get; init; }

    /// <summary>What the paper found, or null.</summary>
    public string? PaperFound { get; init; }

    /// <summary>What this run found, or null.</summary>
    public string? ThisRunFound { get; init; }

    /// <summary>The paper's claims that this figure tests, with verdicts (default: none).</summary>
    public IReadOnlyList<Claim> Claims { get; init; } = [];

    /// <summary>The command that makes this figure, or null.</summary>
    public string? Command { get; init; }

    /// <summary>Charts in reading order (default: none).</summary>
    public IReadOnlyList<ChartBundle> Charts { get; init; } = [];

    /// <summary>Pictures in reading order, after the charts (default: none).</summary>
    public IReadOnlyList<ReportImage> Images { get; init; } = [];

    /// <summary>Folded groups of small pictures, after the pictures (default: none).</summary>
    public IReadOnlyList<PictureGallery> Galleries { get; init; } = [];

    /// <summary>Tables in reading order, after the pictures (default: none).</summary>
    public IReadOnlyList<TableData> Tables { get; init; } = [];

    /// <summary>Files next to the report that belong to this figure (default: none).</summary>
    public IReadOnlyList<ReportFile> Files { get; init; } = [];

    /// <summary>The run's manifest, shown collapsed, or null.</summary>
    public string? ManifestJson { get; init; }
}
