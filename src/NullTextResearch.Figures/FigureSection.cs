using System.Buffers.Binary;

namespace NullTextResearch.Figures;

/// <summary>A picture of a report, embedded into its page.</summary>
/// <param name="Png">The bytes of a PNG file.</param>
/// <param name="AltText">What the picture shows, for those who cannot see it.</param>
public sealed record ReportImage(byte[] Png, string AltText)
{
    /// <summary>Text below the picture, or null (default).</summary>
    public string? Caption { get; init; }

    /// <summary>Width and height from the file's header.</summary>
    /// <exception cref="ArgumentException">The bytes are no PNG file.</exception>
    internal (int Width, int Height) Size()
    {
        ReadOnlySpan<byte> signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
        if (Png.Length < 24 || !Png.AsSpan(0, 8).SequenceEqual(signature))
        {
            throw new ArgumentException(
                $"The picture '{AltText}' is no PNG file ({Png.Length} bytes); pass the bytes that {nameof(ImageGrid)}.{nameof(ImageGrid.ToPng)} returns."
            );
        }

        return (BinaryPrimitives.ReadInt32BigEndian(Png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(Png.AsSpan(20)));
    }
}

/// <summary>A link from a report to a file that lies beside it.</summary>
/// <param name="Name">Text of the link.</param>
/// <param name="RelativePath">Path from the page to the file, with <c>/</c>.</param>
public sealed record ReportFile(string Name, string RelativePath);

/// <summary>One figure of a report: what it shows, what was expected, what came out, and the evidence. All texts are plain: they are escaped.</summary>
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

    /// <summary>The paper's claims that this figure is about, with verdicts (default: none).</summary>
    public IReadOnlyList<Claim> Claims { get; init; } = [];

    /// <summary>The command that makes this figure, or null.</summary>
    public string? Command { get; init; }

    /// <summary>Charts in reading order (default: none).</summary>
    public IReadOnlyList<ChartBundle> Charts { get; init; } = [];

    /// <summary>Pictures in reading order, after the charts (default: none).</summary>
    public IReadOnlyList<ReportImage> Images { get; init; } = [];

    /// <summary>Tables in reading order, after the pictures (default: none).</summary>
    public IReadOnlyList<TableData> Tables { get; init; } = [];

    /// <summary>Files beside the report that belong to this figure (default: none).</summary>
    public IReadOnlyList<ReportFile> Files { get; init; } = [];

    /// <summary>The run's manifest, shown folded, or null.</summary>
    public string? ManifestJson { get; init; }
}
