using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive;

/// <summary>Pictures of the same size behind a draggable divider: any two of them, left and right.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class CompareView : Visual
{
    internal CompareView(IReadOnlyList<NamedImage> images, string? title)
    {
        if (images.Count < 2)
            throw new ArgumentException($"A comparison needs at least two pictures, got {images.Count}.", nameof(images));
        RgbImage first = images[0].Image;
        if (images.FirstOrDefault(i => i.Image.Width != first.Width || i.Image.Height != first.Height) is { } odd)
            throw new ArgumentException(
                $"Pictures to compare must have the same size: '{images[0].Name}' is {first.Width} x {first.Height}, '{odd.Name}' is {odd.Image.Width} x "
                    + $"{odd.Image.Height}.",
                nameof(images)
            );
        Images = images;
        Title = title;
    }

    /// <summary>The pictures; the first is shown on the left, the last on the right.</summary>
    public IReadOnlyList<NamedImage> Images { get; }

    /// <summary>Title, or null.</summary>
    public string? Title { get; }

    private protected override Rendition Draw() =>
        new(Pictures.Text(Title, Images))
        {
            Png = () => Pictures.Strip(Title, Images),
            Html = id => Markup.View(id, "compare", Pictures.Head(Title) + Pictures.Table(Images), "compare.js"),
        };
}
