namespace NullTextResearch.Interactive.Rendering;

/// <summary>A value that displays itself in a notebook.</summary>
internal interface IRendered
{
    /// <summary>Its representations, created on demand.</summary>
    Rendition Render();
}

/// <summary>The representations of one result.</summary>
/// <param name="Text">Text for consoles and screen readers; always present.</param>
internal sealed record Rendition(string Text)
{
    /// <summary>Creates HTML for an element id that is unique in the page; null if there is none.</summary>
    public Func<string, string>? Html { get; init; }

    /// <summary>Creates a PNG for front ends that show neither scripts nor HTML; may return null.</summary>
    public Func<byte[]?>? Png { get; init; }

    /// <summary>Creates the Plotly JSON of a chart; null for other results.</summary>
    public Func<string>? PlotlyJson { get; init; }

    /// <summary>The HTML with a new id, because one result may appear several times in a page.</summary>
    public string? ToHtml() => Html?.Invoke($"nt-{Guid.NewGuid():N}"[..11]);
}
