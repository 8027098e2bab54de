using System.Globalization;
using System.Text;

namespace NullTextResearch.Text;

/// <summary>CLIP's text cleaning and word splitting, before any byte pair is merged.</summary>
/// <remarks>
/// Works on Unicode scalar values: a .NET regular expression sees UTF-16 units and would treat a letter outside the basic plane as punctuation.
/// ICU is not needed: casing and categories come from the runtime's own tables.
/// </remarks>
internal static class ClipText
{
    /// <summary>Start-of-text as it may be written in a prompt.</summary>
    internal const string StartOfText = "<|startoftext|>";

    /// <summary>End-of-text as it may be written in a prompt.</summary>
    internal const string EndOfText = "<|endoftext|>";

    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

    /// <summary>Collapses white space to single blanks and trims.</summary>
    internal static string CleanWhiteSpace(string text)
    {
        StringBuilder clean = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!Rune.IsWhiteSpace(rune))
            {
                clean.Append(rune.ToString());
            }
            else if (clean.Length > 0 && clean[^1] != ' ')
            {
                clean.Append(' ');
            }
        }

        return clean.ToString().TrimEnd(' ');
    }

    /// <summary>Lower-cases as the reference does: full mapping of capital I with dot, final sigma, no language-dependent rule.</summary>
    internal static string Lower(string text)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        StringBuilder lower = new StringBuilder(text.Length);
        for (int i = 0; i < runes.Length; i++)
        {
            lower.Append(
                runes[i].Value switch
                {
                    0x130 => "i\u0307",
                    0x3A3 => IsFinalSigma(runes, i) ? "\u03C2" : "\u03C3",
                    _ => Rune.ToLowerInvariant(runes[i]).ToString(),
                }
            );
        }

        return lower.ToString();
    }

    /// <summary>Splits cleaned, lower-cased text into special tokens, contractions, runs of letters, single digits and runs of anything else.</summary>
    internal static List<string> Split(string text)
    {
        List<string> parts = new List<string>();
        int at = 0;
        while (at < text.Length)
        {
            int length = PartLength(text.AsSpan(at));
            if (length == 0)
            {
                at++; // a blank
                continue;
            }

            parts.Add(text.Substring(at, length));
            at += length;
        }

        return parts;
    }

    private static int PartLength(ReadOnlySpan<char> text)
    {
        if (text[0] == '<')
        {
            if (text.StartsWith(StartOfText, StringComparison.Ordinal))
            {
                return StartOfText.Length;
            }

            if (text.StartsWith(EndOfText, StringComparison.Ordinal))
            {
                return EndOfText.Length;
            }
        }

        if (text[0] == '\'')
        {
            foreach (string contraction in Contractions)
            {
                if (text.StartsWith(contraction, StringComparison.Ordinal))
                {
                    return contraction.Length;
                }
            }
        }

        Kind first = KindOf(text, out int length);
        if (first == Kind.Blank)
        {
            return 0;
        }

        if (first == Kind.Digit)
        {
            return length;
        }

        while (length < text.Length && KindOf(text[length..], out int next) == first)
        {
            length += next;
        }

        return length;
    }

    private static Kind KindOf(ReadOnlySpan<char> text, out int length)
    {
        Rune.DecodeFromUtf16(text, out Rune rune, out length);
        if (Rune.IsWhiteSpace(rune))
        {
            return Kind.Blank;
        }

        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter
            or UnicodeCategory.LowercaseLetter
            or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter
            or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Digit,
            _ => Kind.Other,
        };
    }

    // Capital sigma has a separate lower-case form at the end of a word: with a cased letter before it and none after it.
    private static bool IsFinalSigma(Rune[] runes, int at)
    {
        int before = at - 1,
            after = at + 1;
        while (before >= 0 && IsIgnorable(runes[before]))
        {
            before--;
        }

        while (after < runes.Length && IsIgnorable(runes[after]))
        {
            after++;
        }

        return before >= 0 && IsCased(runes[before]) && (after == runes.Length || !IsCased(runes[after]));
    }

    private static bool IsCased(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool IsIgnorable(Rune rune) =>
        rune.Value is '\'' or '.' or ':' or 0xB7 or 0x2019
        || Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.EnclosingMark
                or UnicodeCategory.Format
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.ModifierSymbol;

    private enum Kind
    {
        Blank,
        Letter,
        Digit,
        Other,
    }
}
