using System.Text;

namespace NullTextResearch.Images;

/// <summary>Identifies a file that is not a readable picture, and says what to do about it.</summary>
internal static class ForeignFile
{
    private const string Convert = "Convert it, for example with ImageMagick: magick {0} picture.png";

    /// <summary>Describes the file and what to try, as the rest of a sentence about it.</summary>
    /// <param name="file">The file's bytes, at least one.</param>
    /// <param name="name">The file's name.</param>
    public static string Describe(ReadOnlySpan<byte> file, string name)
    {
        (string what, string advice) = Of(file);
        return $"this is {what}; only PNG, JPEG and WebP pictures can be read. "
            + $"{advice.Replace("{0}", Path.GetFileName(name), StringComparison.Ordinal)}.";
    }

    private static (string What, string Advice) Of(ReadOnlySpan<byte> file)
    {
        if (Container(file) is { } container)
            return container;
        (byte[] Start, string What)[] pictures =
        [
            ([0xFF, 0x0A], "a JPEG XL picture"),
            ([0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L', (byte)' '], "a JPEG XL picture"),
            ([0, 0, 0, 12, (byte)'j', (byte)'P', (byte)' ', (byte)' '], "a JPEG 2000 picture"),
            ([0xFF, 0x4F, 0xFF, 0x51], "a JPEG 2000 picture"),
            ([(byte)'I', (byte)'I', 42, 0], "a TIFF picture or a camera raw file"),
            ([(byte)'M', (byte)'M', 0, 42], "a TIFF picture or a camera raw file"),
            ([(byte)'I', (byte)'I', 43, 0], "a BigTIFF picture"),
            ([(byte)'M', (byte)'M', 0, 43], "a BigTIFF picture"),
            ([.. "GIF8"u8], "a GIF picture"),
            ([.. "BM"u8], "a BMP picture"),
            ([0, 0, 1, 0], "an icon (ICO)"),
            ([.. "8BPS"u8], "a Photoshop picture (PSD)"),
            ([0x76, 0x2F, 0x31, 0x01], "an OpenEXR picture"),
            ([.. "#?"u8], "a Radiance picture (HDR)"),
            ([.. "qoif"u8], "a QOI picture"),
            ([.. "DDS "u8], "a DDS texture"),
        ];
        foreach ((byte[] start, string what) in pictures)
        {
            if (file.StartsWith(start))
                return (what, Convert);
        }

        (byte[] Start, string What, string Advice)[] others =
        [
            ([.. "%PDF"u8], "a PDF document", "Export its picture, for example: pdftoppm -png {0} page"),
            ([.. "%!PS"u8], "a PostScript document", Convert),
            ([.. "PK"u8], "a ZIP archive", "Unpack it and pass a picture from it"),
            ([0x1F, 0x8B], "a gzip archive", "Unpack it and pass a picture from it"),
            ([.. "7z"u8, 0xBC, 0xAF], "a 7-Zip archive", "Unpack it and pass a picture from it"),
            ([.. "version https://git-lfs"u8], "a Git LFS pointer, not the picture itself", "Fetch the picture: run 'git lfs pull' in its repository"),
        ];
        foreach ((byte[] start, string what, string advice) in others)
        {
            if (file.StartsWith(start))
                return (what, advice);
        }

        if (
            file.Length >= 2
            && file[0] == 'P'
            && file[1] is >= (byte)'1' and <= (byte)'7'
            && (file.Length == 2 || file[2] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'#')
        )
            return ("a portable pixmap (PNM)", Convert);
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P']))
            return ("a PNG picture whose first bytes are damaged, as by a text-mode transfer", "Download or export it again");
        if (file.IndexOfAnyExcept((byte)0) < 0)
            return ("nothing but zeros: an unfinished download or copy", "Download or copy it again");
        return Text(file) ?? ("data in an unknown format", "Open it in a viewer and export it as PNG, or download it again");
    }

    // HEIF and its relatives: the major brand decides; if it is the generic family brand, the compatible brands decide.
    private static (string What, string Advice)? Container(ReadOnlySpan<byte> file)
    {
        if (file.Length < 12 || !file[4..8].SequenceEqual("ftyp"u8))
            return null;
        string[] brands = [.. Encoding.Latin1.GetString(file[8..Math.Min(file.Length, 64)]).Chunk(4).Select(c => new string(c)).Where((_, i) => i != 1)];
        foreach (string brand in brands)
        {
            switch (brand)
            {
                case "avif" or "avis":
                    return ("an AVIF picture", Convert);
                case "heic" or "heix" or "heim" or "heis" or "hevc" or "hevx":
                    return (
                        "a HEIC picture, as taken by phones",
                        Convert + " (or: heif-convert {0} picture.png; the phone setting 'most compatible' saves JPEG)"
                    );
                case "jxl ":
                    return ("a JPEG XL picture", Convert);
                case "crx ":
                    return ("a camera raw file (CR3)", "Export it as JPEG or PNG with the camera's software");
            }
        }

        return brands.Contains("mif1") || brands.Contains("msf1")
            ? ("a HEIF picture", Convert)
            : ("a video or another MP4-family file", "Export a frame, for example: ffmpeg -i {0} -frames:v 1 picture.png");
    }

    private static (string What, string Advice)? Text(ReadOnlySpan<byte> file)
    {
        const int Looked = 2048,
            Shown = 40;
        string start = Encoding.UTF8.GetString(file[..Math.Min(file.Length, Looked)]).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (start.Contains("<svg", StringComparison.OrdinalIgnoreCase))
            return ("an SVG drawing", "Render it to pixels, for example: rsvg-convert {0} -o picture.png");
        if (
            start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase)
            || start.Contains("<html", StringComparison.OrdinalIgnoreCase)
            || start.StartsWith("<head", StringComparison.OrdinalIgnoreCase)
        )
            return ("a web page (HTML) that was saved instead of a picture", "Open the link in a browser and save the picture itself");
        if (start.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
            return ("an XML document", "Pass the picture that it belongs to");
        // The last character may be truncated.
        if (start.Length == 0 || start[..^1].Any(c => c == '\uFFFD' || (char.IsControl(c) && c is not ('\n' or '\r' or '\t'))))
            return null;
        string line = start.Split('\n')[0].Trim();
        return ($"a text file that begins with \"{(line.Length > Shown ? line[..Shown] + "..." : line)}\"", "Pass a picture");
    }
}
