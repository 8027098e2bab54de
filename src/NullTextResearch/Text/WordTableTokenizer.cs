using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Text;

/// <summary>A tokenizer with a fixed list of words and the pieces of each: the vocabulary of small reference runs and tests.</summary>
/// <remarks>Text is lower-cased and split at blanks. An unknown word is an error, because there are no smaller pieces to fall back to.</remarks>
public sealed class WordTableTokenizer : ITextTokenizer
{
    private static readonly JsonSerializerOptions Options = new() { RespectNullableAnnotations = true };

    private readonly Dictionary<string, string[]> _piecesOf;
    private readonly Dictionary<string, int> _idOf;
    private readonly Dictionary<int, string> _pieceOf;
    private readonly int _padToken;

    /// <summary>Makes a tokenizer from its table.</summary>
    /// <param name="words">Lower-case words, each with its pieces in order; the pieces join to form the word.</param>
    /// <param name="pieceIds">Id of each piece.</param>
    /// <param name="startToken">Id that opens a row.</param>
    /// <param name="endToken">Id that closes the text.</param>
    /// <param name="padToken">Id that fills the row.</param>
    /// <param name="contextLength">Length of a row, at least 3.</param>
    /// <exception cref="ArgumentException">A word lacks pieces, a piece lacks an id, or pieces do not join to form their word.</exception>
    public WordTableTokenizer(
        IReadOnlyDictionary<string, IReadOnlyList<string>> words,
        IReadOnlyDictionary<string, int> pieceIds,
        int startToken,
        int endToken,
        int padToken,
        int contextLength = ClipTokenizer.DefaultContextLength
    )
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(pieceIds);
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 3);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(contextLength, ClipTokenizer.MostContext);
        foreach ((string word, IReadOnlyList<string>? pieces) in words)
        {
            if (pieces is null || pieces.Count == 0 || pieces.Contains(null!) || string.Concat(pieces) != word)
            {
                throw new ArgumentException(
                    $"the pieces of '{Excerpt.Of(word)}' are '{Excerpt.Of(string.Join(" ", pieces ?? []))}'; they must join to form the word",
                    nameof(words)
                );
            }

            if (pieces.FirstOrDefault(p => !pieceIds.ContainsKey(p)) is { } missing)
            {
                throw new ArgumentException($"the piece '{Excerpt.Of(missing)}' of '{Excerpt.Of(word)}' has no id", nameof(pieceIds));
            }
        }

        foreach ((string piece, int id) in pieceIds.Concat((KeyValuePair<string, int>[])[new("bos", startToken), new("eos", endToken), new("pad", padToken)]))
        {
            if (id is < 0 or >= ClipTokenizer.MostTokens)
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"the id of '{Excerpt.Of(piece)}' is {id}; expected 0 to {ClipTokenizer.MostTokens - 1}"),
                    nameof(pieceIds)
                );
        }

        _piecesOf = words.ToDictionary(w => w.Key, w => w.Value.ToArray(), StringComparer.Ordinal);
        _idOf = new Dictionary<string, int>(pieceIds, StringComparer.Ordinal);
        _pieceOf = pieceIds
            .GroupBy(p => p.Value)
            .ToDictionary(
                g => g.Key,
                g =>
                    g.Count() == 1
                        ? g.First().Key
                        : throw new ArgumentException(
                            $"id {g.Key} belongs to several pieces: {Excerpt.Of(string.Join(", ", g.Select(p => p.Key)))}",
                            nameof(pieceIds)
                        )
            );
        (StartToken, EndToken, _padToken, ContextLength) = (startToken, endToken, padToken, contextLength);
    }

    /// <inheritdoc/>
    public int ContextLength { get; }

    /// <inheritdoc/>
    public int StartToken { get; }

    /// <inheritdoc/>
    public int EndToken { get; }

    /// <summary>Reads a table written as <c>{"bos", "eos", "pad", "max_length", "words": {word: [pieces]}, "piece_ids": {piece: id}}</c>.</summary>
    /// <param name="json">The JSON object.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="JsonException">A member is missing, duplicated or of another type, or a string is damaged; the message gives the place.</exception>
    /// <exception cref="ArgumentException">The table contradicts itself.</exception>
    public static WordTableTokenizer FromJson(JsonElement json)
    {
        StrictJson.Check(JsonMarshal.GetRawUtf8Value(json));
        Table table = json.Deserialize<Table>(Options) ?? throw new JsonException("the tokenizer table is null");
        return new WordTableTokenizer(
            table.Words.ToDictionary(w => w.Key, w => (IReadOnlyList<string>)w.Value),
            table.PieceIds,
            table.Bos,
            table.Eos,
            table.Pad,
            table.MaxLength
        );
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The prompt has a word that the table lacks.</exception>
    public TokenizedPrompt Tokenize(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        List<(string Text, int Length)> words = new List<(string Text, int Length)>();
        List<(int Id, int Length)> pieces = new List<(int Id, int Length)>();
        foreach (string word in prompt.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!_piecesOf.TryGetValue(word.ToLowerInvariant(), out string[]? parts))
            {
                throw new ArgumentException(
                    $"word '{word}' is not in the tokenizer's table of {_piecesOf.Count} words: "
                        + $"{string.Join(", ", _piecesOf.Keys.Order(StringComparer.Ordinal).Take(20))} ...",
                    nameof(prompt)
                );
            }

            words.Add((word, word.Length));
            pieces.AddRange(parts.Select(p => (_idOf[p], p.Length)));
        }

        return TokenizedPrompt.Create(prompt, words, pieces, StartToken, EndToken, _padToken, ContextLength);
    }

    /// <inheritdoc/>
    public string DecodePiece(int id) =>
        _pieceOf.TryGetValue(id, out string? piece) ? piece
        : id == StartToken ? ClipText.StartOfText
        : id == EndToken || id == _padToken ? ClipText.EndOfText
        : throw new ArgumentOutOfRangeException(
            nameof(id),
            id,
            string.Create(CultureInfo.InvariantCulture, $"the table has {_pieceOf.Count} pieces and no id {id}")
        );

    private sealed record Table
    {
        [JsonPropertyName("bos")]
        public required int Bos { get; init; }

        [JsonPropertyName("eos")]
        public required int Eos { get; init; }

        [JsonPropertyName("pad")]
        public required int Pad { get; init; }

        [JsonPropertyName("max_length")]
        public required int MaxLength { get; init; }

        [JsonPropertyName("words")]
        public required Dictionary<string, string[]> Words { get; init; }

        [JsonPropertyName("piece_ids")]
        public required Dictionary<string, int> PieceIds { get; init; }
    }
}
