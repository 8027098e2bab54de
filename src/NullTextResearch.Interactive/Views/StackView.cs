using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Several results below each other, as one output.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class StackView : Visual
{
    internal StackView(IReadOnlyList<Visual> parts)
    {
        if (parts.Count == 0)
            throw new ArgumentException("There is nothing to show.", nameof(parts));
        Parts = parts;
    }

    /// <summary>The parts, from the top.</summary>
    public IReadOnlyList<Visual> Parts { get; }

    private protected override Rendition Draw() => Of(Parts);

    /// <summary>Combined representations of several parts; the picture is that of the first part that has one.</summary>
    internal static Rendition Of(IReadOnlyList<Visual> parts) =>
        new(string.Join('\n', parts.Select(p => p.ToString())))
        {
            Html = _ => string.Concat(parts.Select(p => p.ToHtml())),
            Png = () => parts.Select(p => p.ToPng()).FirstOrDefault(png => png is not null),
        };
}
