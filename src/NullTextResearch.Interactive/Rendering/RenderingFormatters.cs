namespace NullTextResearch.Interactive.Rendering;

/// <summary>The formatters of all results; created by kernels through reflection.</summary>
internal sealed class RenderingFormatters
{
    /// <summary>One formatter per mime type.</summary>
    public IEnumerable<object> CreateTypeFormatters() =>
        [new RenderingFormatter(Mime.Plotly), new RenderingFormatter(Mime.Html), new RenderingFormatter(Mime.Png), new RenderingFormatter(Mime.Text)];
}

/// <summary>One representation of a result.</summary>
internal sealed class RenderingFormatter(string mimeType)
{
    /// <summary>The mime type that it writes.</summary>
    public string MimeType => mimeType;

    /// <summary>Writes a value; bytes as base64, as Jupyter expects.</summary>
    /// <returns>False if the value has no such representation.</returns>
    public bool Format(object value, TextWriter writer)
    {
        if (value is not IRendered rendered)
            return false;
        string? content;
        try
        {
            Rendition all = rendered.Render();
            content = mimeType switch
            {
                Mime.Plotly => all.PlotlyJson?.Invoke(),
                Mime.Html => all.ToHtml(),
                Mime.Png => all.Png?.Invoke() is { } png ? Convert.ToBase64String(png) : null,
                _ => all.Text,
            };
        }
        catch (Exception e)
        {
            // An exception here would fail the cell that computed the value, so the error is shown instead of the picture.
            if (mimeType is not (Mime.Html or Mime.Text))
                return false;
            string problem = $"{value.GetType().Name} cannot be shown: {e.GetType().Name}: {e.Message}";
            content = mimeType == Mime.Html ? $"<pre>{Markup.Text(problem)}</pre>" : problem;
        }

        if (content is null)
            return false;
        writer.Write(content);
        return true;
    }
}
