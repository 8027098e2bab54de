using System.Text;

namespace NullTextResearch.Text;

/// <summary>
/// The reversible spelling of bytes as printable characters in byte-level vocabularies: the 188 visible Latin-1 characters stand for themselves, and
/// the characters from U+0100 stand for the other 68 bytes, in byte order.
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>Marks a piece that ends a word.</summary>
    internal const string EndOfWord = "</w>";

    private static readonly char[] SymbolOf = MakeSymbols();
    private static readonly Dictionary<char, byte> ByteOf = SymbolOf.Select((symbol, value) => (symbol, value)).ToDictionary(p => p.symbol, p => (byte)p.value);

    /// <summary>The 256 symbols in vocabulary order: visible bytes first, then the others.</summary>
    internal static IEnumerable<char> VocabularyOrder =>
        Enumerable.Range(0, 256).Where(IsVisible).Concat(Enumerable.Range(0, 256).Where(b => !IsVisible(b))).Select(b => SymbolOf[b]);

    /// <summary>Spells the UTF-8 bytes of a text, one symbol per byte.</summary>
    internal static string Spell(ReadOnlySpan<char> text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(
            bytes.Length,
            bytes,
            static (symbols, source) =>
            {
                for (int i = 0; i < source.Length; i++)
                {
                    symbols[i] = SymbolOf[source[i]];
                }
            }
        );
    }

    /// <summary>Decodes a spelled text; incomplete characters become U+FFFD.</summary>
    internal static string Read(string symbols) => Encoding.UTF8.GetString(Bytes(symbols));

    /// <summary>The bytes that symbols stand for.</summary>
    internal static byte[] Bytes(string symbols) => [.. symbols.Select(c => ByteOf.TryGetValue(c, out byte b) ? b : (byte)'?')];

    private static bool IsVisible(int value) => value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static char[] MakeSymbols()
    {
        char[] symbols = new char[256];
        char next = '\u0100';
        for (int value = 0; value < 256; value++)
        {
            symbols[value] = IsVisible(value) ? (char)value : next++;
        }

        return symbols;
    }
}
