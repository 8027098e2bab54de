using NullTextResearch.Interactive.Display;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>
/// A result that displays itself: end a cell with it, or call <see cref="Show"/>. Interactive where scripts may run, otherwise
/// static pictures; text in a console. Immutable.
/// </summary>
public abstract class Visual : IRendered
{
    private Rendition? _rendering;

    private protected Visual() { }

    /// <summary>Shows it below the running cell; outside a notebook, prints its text.</summary>
    public void Show() => Output.Current.Display(this);

    /// <summary>Self-contained HTML with a new element id at every call.</summary>
    public string ToHtml() => Rendered().ToHtml() ?? $"<pre>{Markup.Text(Rendered().Text)}</pre>";

    /// <summary>The picture shown where scripts do not run.</summary>
    /// <returns>A PNG file; null if there is none (tables, and charts if no browser is installed).</returns>
    public byte[]? ToPng() => Rendered().Png?.Invoke();

    /// <summary>The text shown in a console.</summary>
    public sealed override string ToString() => Rendered().Text;

    Rendition IRendered.Render() => Rendered();

    private protected abstract Rendition Draw();

    internal Rendition Rendered() => _rendering ??= Draw();
}
