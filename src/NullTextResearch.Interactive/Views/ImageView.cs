using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>A picture with its name.</summary>
/// <param name="Name">What it is, in a few words.</param>
/// <param name="Image">The picture.</param>
public sealed record NamedImage(string Name, RgbImage Image);

/// <summary>Pictures side by side, each with its name.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class ImageView : Visual
{
    internal ImageView(IReadOnlyList<NamedImage> images, string? title)
    {
        if (images.Count == 0) throw new ArgumentException("There is no picture to show.", nameof(images));
        Images = images;
        Title = title;
    }

    /// <summary>The pictures.</summary>
    public IReadOnlyList<NamedImage> Images { get; }

    /// <summary>Title, or null.</summary>
    public string? Title { get; }

    private protected override Rendition Draw() => new(Pictures.Text(Title, Images))
    {
        Png = () => Pictures.Strip(Title, Images),
        Html = id => Markup.View(id, "images", Pictures.Head(Title) + Pictures.Figures(Images, Images.Count <= 3 ? Markup.Large : 160)),
    };
}

/// <summary>What the views of several pictures have in common.</summary>
internal static class Pictures
{
    /// <summary>All pictures in a row, as PNG.</summary>
    public static byte[] Strip(string? title, IReadOnlyList<NamedImage> images) =>
        (ImageGrid.FilmStrip([.. images.Select(i => i.Image)], [.. images.Select(i => i.Name)], perRow: images.Count <= 6 ? 0 : 6) with { Title = title }).ToPng();

    /// <summary>Names and sizes.</summary>
    public static string Text(string? title, IReadOnlyList<NamedImage> images) =>
        (title is null ? "" : title + ": ") + string.Join(" | ", images.Select(i => string.Create(CultureInfo.InvariantCulture, $"{i.Name} ({i.Image.Width} x {i.Image.Height})")));

    /// <summary>A title, if there is one.</summary>
    public static string Head(string? title) => title is null ? "" : $"<div class=\"nt-title\">{Markup.Text(title)}</div>";

    /// <summary>All pictures in a row, as HTML.</summary>
    public static string Figures(IReadOnlyList<NamedImage> images, int least) =>
        $"<div class=\"nt-strip\">{string.Concat(images.Select(i => $"<figure data-name=\"{Markup.Text(i.Name)}\">{Markup.Image(i.Image, i.Name, least)}<figcaption>{Markup.Text(i.Name)}</figcaption></figure>"))}</div>";
}
