using System.Text;

namespace NullTextResearch.Figures;

/// <summary>Figures in one self-contained HTML page: reading it needs no network and no other file.</summary>
public sealed record Report
{
    /// <summary>Heading of the page.</summary>
    public required string Title { get; init; }

    /// <summary>Text below the heading, or null. Blank lines separate paragraphs.</summary>
    public string? Introduction { get; init; }

    /// <summary>Facts about the run, shown below the introduction (default: none).</summary>
    public IReadOnlyList<ReportFact> Facts { get; init; } = [];

    /// <summary>The figures in reading order.</summary>
    public required IReadOnlyList<FigureSection> Sections { get; init; }

    /// <summary>A report of one figure, as a separate page.</summary>
    /// <param name="section">The figure.</param>
    /// <returns>A report without introduction or navigation.</returns>
    public static Report Of(FigureSection section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return new Report { Title = section.Title, Sections = [section] };
    }

    /// <summary>Writes the page: plotly.js (if there are charts), font, style and pictures are inlined once each.</summary>
    /// <returns>An HTML document.</returns>
    /// <exception cref="ArgumentException">An id is not plain or used twice, a picture is not a PNG, or a table's rows are uneven.</exception>
    public string ToHtml()
    {
        HashSet<string> ids = new(StringComparer.OrdinalIgnoreCase);
        foreach (FigureSection section in Sections)
        {
            if (section.Id.Length == 0 || !char.IsAsciiLetter(section.Id[0]) || section.Id.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            {
                throw new ArgumentException($"The section '{section.Title}' has the id '{section.Id}'; use a letter, then letters, digits, '-' and '_'.");
            }

            if (!ids.Add(section.Id))
            {
                throw new ArgumentException($"Two sections have the id '{section.Id}' (case does not count); links could not tell them apart.");
            }
        }

        return ReportPage.Write(this);
    }

    /// <summary>Writes the page to a file atomically: a reader never sees half of it, and an earlier page survives a failure.</summary>
    /// <param name="path">The file; its folder is created if missing.</param>
    /// <exception cref="ArgumentException">As for <see cref="ToHtml"/>.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        WholeFile.Write(path, Encoding.UTF8.GetBytes(ToHtml()));
    }
}
