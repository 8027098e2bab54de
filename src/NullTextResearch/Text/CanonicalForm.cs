using System.Globalization;
using System.Text;

namespace NullTextResearch.Text;

/// <summary>Unicode normalisation form C: combining marks merge with their letters wherever a composed character exists.</summary>
/// <remarks>
/// The runtime's own normalisation needs ICU, which this library does not use (without ICU, the runtime returns its input). Normalisation is needed
/// because all published tokenizers normalise: "é" typed as a letter and an accent, as on macOS and some keyboards, must give the same token as the
/// single character.
/// </remarks>
internal static class CanonicalForm
{
    private const int SyllableFirst = 0xAC00,
        LeadFirst = 0x1100,
        VowelFirst = 0x1161,
        TrailFirst = 0x11A7;
    private const int Leads = 19,
        Vowels = 21,
        Trails = 28,
        Syllables = Leads * Vowels * Trails;

    // Below this, nothing combines, and every decomposition composes back to the same character.
    private const char FirstMark = '\u0300';

    private static readonly Lazy<Tables> LoadedTables = new(Tables.Read);

    /// <summary>The composed form.</summary>
    /// <param name="text">Any text; lone surrogates become U+FFFD.</param>
    public static string Compose(string text)
    {
        if (!text.Any(c => c >= FirstMark))
            return text;
        return Text(Joined(Apart(text, LoadedTables.Value), LoadedTables.Value));
    }

    /// <summary>The decomposed form (form D).</summary>
    /// <param name="text">Any text; lone surrogates become U+FFFD.</param>
    internal static string Decompose(string text) => Text(Apart(text, LoadedTables.Value));

    private static string Text(List<int> codes)
    {
        StringBuilder text = new(codes.Count);
        foreach (int code in codes)
            text.Append(new Rune(code).ToString());
        return text.ToString();
    }

    private static List<int> Apart(string text, Tables tables)
    {
        List<int> codes = [];
        foreach (Rune rune in text.EnumerateRunes())
            Decompose(rune.Value, tables, codes);
        Order(codes, tables);
        return codes;
    }

    private static void Decompose(int code, Tables tables, List<int> into)
    {
        int syllable = code - SyllableFirst;
        if (syllable is >= 0 and < Syllables)
        {
            into.Add(LeadFirst + (syllable / (Vowels * Trails)));
            into.Add(VowelFirst + (syllable % (Vowels * Trails) / Trails));
            if (syllable % Trails != 0)
                into.Add(TrailFirst + (syllable % Trails));
        }
        else if (tables.Parts.TryGetValue(code, out int[]? parts))
        {
            foreach (int part in parts)
                Decompose(part, tables, into);
        }
        else
        {
            into.Add(code);
        }
    }

    // Sorts the marks after a letter by class; marks of one class keep their order.
    private static void Order(List<int> codes, Tables tables)
    {
        for (int i = 1; i < codes.Count; i++)
        {
            int mark = tables.Class(codes[i]);
            for (int k = i; mark != 0 && k > 0 && tables.Class(codes[k - 1]) > mark; k--)
                (codes[k - 1], codes[k]) = (codes[k], codes[k - 1]);
        }
    }

    private static List<int> Joined(List<int> codes, Tables tables)
    {
        List<int> result = [];
        int starter = -1,
            last = 0;
        foreach (int code in codes)
        {
            int mark = tables.Class(code);
            // A mark joins its letter unless a mark of the same or a higher class stands between them.
            bool reaches = starter >= 0 && (result.Count - 1 == starter || (last < mark && last != 0));
            if (reaches && Pair(result[starter], code, tables) is { } joined)
            {
                result[starter] = joined;
                continue;
            }
            if (mark == 0)
                starter = result.Count;
            last = mark;
            result.Add(code);
        }
        return result;
    }

    private static int? Pair(int first, int second, Tables tables)
    {
        int lead = first - LeadFirst,
            vowel = second - VowelFirst;
        if (lead is >= 0 and < Leads && vowel is >= 0 and < Vowels)
            return SyllableFirst + (((lead * Vowels) + vowel) * Trails);
        int syllable = first - SyllableFirst,
            trail = second - TrailFirst;
        if (syllable is >= 0 and < Syllables && syllable % Trails == 0 && trail is > 0 and < Trails)
            return first + trail;
        return tables.Composed.TryGetValue((first, second), out int code) ? code : null;
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, byte> _classes = [];

        public Dictionary<int, int[]> Parts { get; } = [];

        public Dictionary<(int, int), int> Composed { get; } = [];

        public int Class(int code) => _classes.GetValueOrDefault(code);

        public static Tables Read()
        {
            Tables tables = new();
            using StreamReader lines = new(
                typeof(CanonicalForm).Assembly.GetManifestResourceStream("NullTextResearch.Unicode.canonical.txt")
                    ?? throw new InvalidOperationException("The library was built without its table of canonical forms.")
            );
            while (lines.ReadLine() is { } line)
            {
                if (line.StartsWith('#'))
                    continue;
                int mark = line.IndexOfAny(['=', '>', '-']);
                int code = Hex(line[..mark]);
                if (line[mark] == '-')
                {
                    string[] range = line[(mark + 1)..].Split(' ');
                    for (int c = code; c <= Hex(range[0]); c++)
                        tables._classes.Add(c, byte.Parse(range[1], CultureInfo.InvariantCulture));
                    continue;
                }
                int[] parts = [.. line[(mark + 1)..].Split(' ').Select(Hex)];
                tables.Parts.Add(code, parts);
                if (line[mark] == '=')
                    tables.Composed.Add((parts[0], parts[1]), code);
            }
            return tables;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
