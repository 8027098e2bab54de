using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Pictures side by side, each with its name.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class ImageView : Visual
{
    internal ImageView(IReadOnlyList<NamedImage> images, string? title)
    {
        if (images.Count == 0)
            throw new ArgumentException("There is no picture to show.", nameof(images));
        Images = images;
        Title = title;
    }

    /// <summary>The pictures.</summary>
    public IReadOnlyList<NamedImage> Images { get; }

    /// <summary>Title, or null.</summary>
    public string? Title { get; }

    private protected override Rendition Draw() =>
        new(Pictures.Text(Title, Images))
        {
            Png = () => Pictures.Strip(Title, Images),
            Html = id => Markup.View(id, "images", Pictures.Head(Title) + Pictures.Table(Images, Images.Count <= 3 ? Markup.Large : Markup.Small)),
        };
}

/// <summary>Shared functions of views with several pictures.</summary>
internal static class Pictures
{
    /// <summary>All pictures in a row, as PNG.</summary>
    public static byte[] Strip(string? title, IReadOnlyList<NamedImage> images) =>
        (ImageGrid.FilmStrip([.. images.Select(i => i.Image)], [.. images.Select(i => i.Name)], PerRow(images.Count)) with { Title = title }).ToPng();

    /// <summary>Number of pictures per row: at most seven, in rows of about equal length.</summary>
    public static int PerRow(int count) => (count + Rows(count) - 1) / Rows(count);

    private static int Rows(int count) => (count + 6) / 7;

    /// <summary>Names and sizes.</summary>
    public static string Text(string? title, IReadOnlyList<NamedImage> images) =>
        (title is null ? "" : title + ": ")
        + string.Join(" | ", images.Select(i => string.Create(CultureInfo.InvariantCulture, $"{i.Name} ({i.Image.Width} x {i.Image.Height})")));

    /// <summary>A title, if there is one.</summary>
    public static string Head(string? title) => title is null ? "" : $"<div class=\"nt-title\"><b>{Markup.Text(title)}</b></div>";

    /// <summary>
    /// Pictures side by side with their names, as a table: untrusted notebooks lose styles and scripts, but keep tables and their
    /// legacy attributes. Scripts find each picture in a cell with <c>data-name</c>, and its size when shown alone in <c>data-large</c>.
    /// </summary>
    /// <param name="images">The pictures.</param>
    /// <param name="least">Smaller pictures are enlarged to at least this size.</param>
    /// <param name="attribute">Further attributes of a picture's cell; null for none.</param>
    public static string Table(IReadOnlyList<NamedImage> images, int least = Markup.Small, Func<int, string>? attribute = null)
    {
        IEnumerable<string> cells = images.Select(
            (image, i) =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"<td align=\"left\" valign=\"top\" style=\"text-align:left;vertical-align:top;border:none;background:transparent;padding:0 12px 8px 0\" "
                        + $"data-name=\"{Markup.Text(image.Name)}\" "
                        + $"data-large=\"{Markup.ShownSize(image.Image, Markup.Large).Width}\"{attribute?.Invoke(i)}>"
                        + $"{Markup.Image(image.Image, image.Name, least)}<div class=\"nt-name\">{Markup.Text(image.Name)}</div></td>"
                )
        );
        IEnumerable<string> rows = cells.Chunk(least >= Markup.Large ? 3 : 5).Select(row => $"<tr style=\"background:transparent\">{string.Concat(row)}</tr>");
        return $"<table class=\"nt-strip\" style=\"border:none;margin:0\">{string.Concat(rows)}</table>";
    }
}
