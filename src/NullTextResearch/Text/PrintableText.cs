using System.Globalization;
using System.Text;

namespace NullTextResearch.Text;

/// <summary>Makes text from any source safe to show on a terminal.</summary>
public static class PrintableText
{
    // They join letters of some scripts and the parts of an emoji; terminals do not act on them.
    private const int NonJoiner = 0x200C,
        Joiner = 0x200D;

    /// <summary>
    /// Escapes what a terminal acts on instead of showing it: escape sequences, other controls, changes of writing direction, invisible marks.
    /// </summary>
    /// <param name="text">Any text, such as a name from a file.</param>
    /// <returns>The same text with such characters replaced by <c>\u001b</c> and the like; line ends, tabs and everything visible are kept.</returns>
    public static string Clean(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (IsClean(text))
            return text;
        StringBuilder clean = new(text.Length + 16);
        foreach (Rune rune in text.Replace("\r\n", "\n", StringComparison.Ordinal).EnumerateRunes())
        {
            if (IsVisible(rune))
                clean.Append(rune.ToString());
            else
                clean.Append(rune.IsBmp ? @"\u" : @"\U").Append(rune.Value.ToString(rune.IsBmp ? "x4" : "x8", CultureInfo.InvariantCulture));
        }

        return clean.ToString();
    }

    private static bool IsClean(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!IsVisible(rune))
                return false;
        }

        return true;
    }

    private static bool IsVisible(Rune rune) =>
        rune.Value is '\n' or '\t' or NonJoiner or Joiner
        || Rune.GetUnicodeCategory(rune)
            is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
