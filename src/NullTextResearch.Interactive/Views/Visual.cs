using NullTextResearch.Interactive.Display;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>
/// A result that shows itself: end a cell with it, or call <see cref="Show"/>. Interactive where scripts may run, readable
/// pictures where not, text in a console. Immutable.
/// </summary>
public abstract class Visual : IRendered
{
    private Rendition? _rendering;

    private protected Visual() { }

    /// <summary>Shows it below the running cell; outside a notebook, prints its text.</summary>
    public void Show() => Output.Current.Display(this);

    /// <summary>Self-contained HTML, with an element id of its own at every call.</summary>
    public string ToHtml() => Rendered().ToHtml() ?? $"<pre>{Markup.Text(Rendered().Text)}</pre>";

    /// <summary>The picture that stands in where scripts do not run.</summary>
    /// <returns>A PNG file; null where there is none (tables; charts where no browser is installed).</returns>
    public byte[]? ToPng() => Rendered().Png?.Invoke();

    /// <summary>What a console shows.</summary>
    public sealed override string ToString() => Rendered().Text;

    Rendition IRendered.Render() => Rendered();

    private protected abstract Rendition Draw();

    internal Rendition Rendered() => _rendering ??= Draw();
}
