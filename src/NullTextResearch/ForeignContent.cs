using System.Text;
using NullTextResearch.Weights;

namespace NullTextResearch;

/// <summary>Identifies the content of a file that is not what its name says.</summary>
public static class ForeignContent
{
    /// <summary>Number of leading bytes that suffice.</summary>
    public const int Enough = 256;

    /// <summary>Says what the content is, and what to do.</summary>
    /// <param name="start">The file's first bytes.</param>
    /// <returns>The rest of a sentence after "is"; null for unknown content.</returns>
    public static string? Of(ReadOnlySpan<byte> start)
    {
        if (start.Length == 0)
            return "empty: the download or copy never started; get it again";
        if (start[0] == 0x80 || start.StartsWith("PK"u8))
            return "a pickle checkpoint by its content (.ckpt, .bin, .pt), which can run code when opened and is never read here; "
                + $"{PickleCheckpoint.Conversion}";
        if (start.StartsWith("version https://git-lfs"u8))
            return "a Git LFS pointer, not the file itself: run 'git lfs pull' in its folder, or download the file from its page";
        string text = Encoding
            .Latin1.GetString(start.Length > Enough ? start[..Enough] : start)
            .TrimStart('\uFEFF', '\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (((string[])["<!doctype", "<html", "<head", "<?xml"]).Any(mark => text.StartsWith(mark, StringComparison.OrdinalIgnoreCase)))
            return "a web page, not the file itself: the server answered with a page (a login, a licence or an error); open the address in a browser, "
                + "then download the file";
        if (text.StartsWith('{') && text.Contains("\"error\"", StringComparison.Ordinal))
            return "a server's error message, not the file itself; download it again";
        return start.IndexOfAnyExcept((byte)0) < 0 ? "nothing but zeros: the download was allocated on disk but never filled; get it again" : null;
    }
}
