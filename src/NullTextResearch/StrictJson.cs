using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace NullTextResearch;

/// <summary>
/// The only parser for foreign JSON. Input that some readers accept and others do not (a repeated name in one object, half a character such as <c>\ud800</c>,
/// bytes that are not UTF-8) is rejected, so that every string of the result can be read; depth and size are limited before anything is built.
/// </summary>
public static class StrictJson
{
    /// <summary>Maximum number of values in a document: a million, a hundred times the header of the largest model here.</summary>
    public const int MostValues = 1_000_000;

    /// <summary>Maximum nesting depth of values.</summary>
    public const int MostDepth = 64;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MostDepth };

    /// <summary>Parses a document.</summary>
    /// <param name="utf8">The text; a byte-order mark is skipped.</param>
    /// <exception cref="JsonException">The text is not JSON, or is rejected; the message gives the position.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> utf8) => ParseUpTo(utf8, MostValues);

    private static JsonElement ParseUpTo(ReadOnlySpan<byte> utf8, int mostValues)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        CheckUpTo(utf8, mostValues);
        return JsonElement.Parse(utf8, Options);
    }

    /// <summary>Reads and parses a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">Maximum size in bytes.</param>
    /// <exception cref="UnreadableFileException">
    /// As for <see cref="RegularFile.ReadAll"/>; or it is something other than JSON, which the message names.
    /// </exception>
    /// <exception cref="JsonException">As for <see cref="Parse"/>.</exception>
    public static JsonElement ReadFile(string path, int most) => ReadLargeFile(path, most, MostValues);

    /// <summary>Reads a file of a kind that may have more values than <see cref="MostValues"/>.</summary>
    internal static JsonElement ReadLargeFile(string path, int most, int mostValues)
    {
        byte[] bytes = RegularFile.ReadAll(path, most);
        try
        {
            return ParseUpTo(bytes, mostValues);
        }
        catch (JsonException e) when (ForeignContent.Of(bytes) is { } what)
        {
            throw new UnreadableFileException(path, $"is {what}", e);
        }
    }

    /// <summary>Rejects what <see cref="Parse"/> rejects, in one pass that builds nothing.</summary>
    /// <param name="utf8">The text.</param>
    /// <exception cref="JsonException">As for <see cref="Parse"/>.</exception>
    public static void Check(ReadOnlySpan<byte> utf8) => CheckUpTo(utf8, MostValues);

    private static void CheckUpTo(ReadOnlySpan<byte> utf8, int mostValues)
    {
        if (!Utf8.IsValid(utf8))
            throw new JsonException(string.Create(CultureInfo.InvariantCulture, $"byte {FirstInvalid(utf8)} is not UTF-8"));
        Utf8JsonReader reader = new(utf8, new JsonReaderOptions { MaxDepth = MostDepth });
        Stack<HashSet<string>> open = [];
        // Sets are reused, because successive objects usually have the same names.
        Stack<HashSet<string>> free = [];
        int values = 0;
        while (Read(ref reader))
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    open.Push(free.TryPop(out HashSet<string>? used) ? used : new HashSet<string>(StringComparer.Ordinal));
                    break;
                case JsonTokenType.EndObject:
                    HashSet<string> names = open.Pop();
                    // The cost of clearing grows with what the set once held, so a large one is not reused.
                    if (names.Count <= 64)
                    {
                        names.Clear();
                        free.Push(names);
                    }
                    continue;
                case JsonTokenType.EndArray:
                    continue;
                case JsonTokenType.PropertyName:
                    string name = Text(ref reader);
                    if (!open.Peek().Add(name))
                        throw Bad(ref reader, $"the name '{Excerpt.Of(name)}' appears twice in one object");
                    continue;
                case JsonTokenType.String when reader.ValueIsEscaped:
                    Text(ref reader);
                    break;
            }
            if (++values > mostValues)
                throw Bad(ref reader, $"there are more than {mostValues} values, which no file of this kind has");
        }
    }

    private static bool Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.Read();
        }
        // Its message quotes what it found, which may be as long as the file.
        catch (JsonException e) when (e.Message.Length > 300)
        {
            throw new JsonException($"{e.Message[..200]}... LineNumber: {e.LineNumber} | BytePositionInLine: {e.BytePositionInLine}.", e);
        }
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw Bad(ref reader, "a string has half a character (a lone surrogate, \\ud800 to \\udfff)", e);
        }
    }

    private static JsonException Bad(ref Utf8JsonReader reader, string what, Exception? inner = null) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{what}, at byte {reader.TokenStartIndex}"), inner);

    private static int FirstInvalid(ReadOnlySpan<byte> utf8)
    {
        int at = 0;
        while (at < utf8.Length && Rune.DecodeFromUtf8(utf8[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
            at += length;
        return at;
    }
}
