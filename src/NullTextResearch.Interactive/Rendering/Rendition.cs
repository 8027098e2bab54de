namespace NullTextResearch.Interactive.Rendering;

/// <summary>Something that shows itself in a notebook.</summary>
internal interface IRendered
{
    /// <summary>Its representations; made when they are asked for.</summary>
    Rendition Render();
}

/// <summary>The representations of one result.</summary>
/// <param name="Text">For consoles and screen readers; always there.</param>
internal sealed record Rendition(string Text)
{
    /// <summary>HTML for an element id that is unique in the page; null where there is none.</summary>
    public Func<string, string>? Html { get; init; }

    /// <summary>A picture for front ends that show neither script nor HTML; may return null.</summary>
    public Func<byte[]?>? Png { get; init; }

    /// <summary>A chart as Plotly JSON.</summary>
    public Func<string>? PlotlyJson { get; init; }

    /// <summary>The HTML under a new id: one result may be shown several times in a page.</summary>
    public string? ToHtml() => Html?.Invoke($"nt-{Guid.NewGuid():N}"[..11]);
}
