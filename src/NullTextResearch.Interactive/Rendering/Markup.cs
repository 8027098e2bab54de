using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json;
using NullTextResearch.Images;
using SkiaSharp;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>HTML fragments. Each fragment includes its own style and script, so a saved notebook needs nothing else.</summary>
internal static class Markup
{
    /// <summary>Displayed side length of a single picture.</summary>
    public const int Large = 256;

    /// <summary>Displayed side length of one picture among several.</summary>
    public const int Small = 160;

    private const int LargestShown = 384;
    private static readonly Dictionary<string, string> Files = [];

    /// <summary>Escapes text for element content and quoted attributes.</summary>
    public static string Text(string value) => WebUtility.HtmlEncode(value);

    /// <summary>A number without trailing zeros, independent of the culture.</summary>
    public static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>Text as a JavaScript string; it cannot open or close a tag.</summary>
    public static string Script(string value) => JsonSerializer.Serialize(value);

    /// <summary>Wraps a view: a box with its style, and a script that makes it interactive.</summary>
    /// <param name="id">Element id.</param>
    /// <param name="kind">Class of the box.</param>
    /// <param name="body">Content, readable without the script.</param>
    /// <param name="script">Name of an asset: a function expression that takes the box; null for none.</param>
    /// <param name="data">Data for the script, in an attribute of the box; null for none.</param>
    public static string View(string id, string kind, string body, string? script = null, string? data = null)
    {
        StringBuilder html = new();
        html.Append(
            CultureInfo.InvariantCulture,
            $"<div class=\"nt-view nt-{kind}\" "
                + $"data-nt=\"{id}\"{(data is null ? "" : $" data-say=\"{Text(data)}\"")}><style>{Asset("view.css")}</style>{body}</div>"
        );
        if (script is not null)
        {
            // Notebooks run scripts outside their place in the page, so the box is looked up; a second view of the output has its own box.
            html.Append(
                CultureInfo.InvariantCulture,
                $"<script>document.querySelectorAll('[data-nt=\"{id}\"]:not([data-live])').forEach(function (box) {{ box.setAttribute('data-live', '1'); "
                    + $"({Asset(script)})(box); }});</script>"
            );
        }

        return html.ToString();
    }

    /// <summary>An <c>img</c> element with the picture embedded.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="alt">Alternative text.</param>
    /// <param name="least">Smaller pictures are enlarged to at least this size.</param>
    public static string Image(RgbImage image, string alt, int least = Small)
    {
        (int width, int height) = ShownSize(image, least);
        string crisp = width > image.Width ? ";image-rendering:pixelated" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"<img alt=\"{Text(alt)}\" width=\"{width}\" height=\"{height}\" style=\"max-width:100%;height:auto{crisp}\" src=\"{DataUri(image)}\">"
        );
    }

    /// <summary>Size on the page: small pictures are enlarged by an integer factor, large ones are reduced.</summary>
    public static (int Width, int Height) ShownSize(RgbImage image, int least)
    {
        int longer = Math.Max(image.Width, image.Height);
        if (longer > LargestShown)
            return (Math.Max(1, image.Width * LargestShown / longer), Math.Max(1, image.Height * LargestShown / longer));
        int factor = Math.Max(1, (least + longer - 1) / longer);
        return (image.Width * factor, image.Height * factor);
    }

    /// <summary>The picture as a data URI: WebP, lossless for small pictures.</summary>
    public static string DataUri(RgbImage image)
    {
        using SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> pixels = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < image.Rgb.Length; from += 3, to += 4)
        {
            image.Rgb.AsSpan(from, 3).CopyTo(pixels[to..]);
            pixels[to + 3] = 255;
        }

        bool small = Math.Max(image.Width, image.Height) <= 128;
        using SKPixmap pixmap = bitmap.PeekPixels();
        using SKData data =
            pixmap.Encode(new SKWebpEncoderOptions(small ? SKWebpEncoderCompression.Lossless : SKWebpEncoderCompression.Lossy, small ? 75 : 88))
            ?? throw new InvalidOperationException($"A picture of {image.Width} x {image.Height} pixels could not be encoded.");
        return "data:image/webp;base64," + Convert.ToBase64String(data.AsSpan());
    }

    /// <summary>A file compiled into this assembly.</summary>
    public static string Asset(string name)
    {
        lock (Files)
        {
            if (Files.TryGetValue(name, out string? known))
                return known;
            using Stream stream =
                Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
                ?? throw new InvalidOperationException(
                    $"This build of NullTextResearch.Interactive lacks its resource '{name}'; rebuild it from a complete checkout."
                );
            using StreamReader reader = new(stream, Encoding.UTF8);
            string text = reader.ReadToEnd().TrimEnd();
            Files.Add(name, text);
            return text;
        }
    }
}
