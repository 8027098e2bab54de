using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace NullTextResearch.Text;

/// <summary>CLIP's byte-pair tokenizer, read from the <c>tokenizer/</c> folder of a diffusers-format model.</summary>
/// <remarks>
/// Cleaning, splitting into words and the spelling of bytes are ours; the byte-pair merges of a word are Microsoft.ML.Tokenizers', which
/// agree with the published algorithm on every word tried. Letters and their accents are composed (form C), white space is collapsed and text
/// lower-cased, as all published tokenizers of this vocabulary do; like the original without its optional text-fixing package, nothing else is
/// normalised: curly quotes, ligatures and HTML entities stay as written.
/// Instances are immutable and may be used from several threads.
/// </remarks>
public sealed class ClipTokenizer : ITextTokenizer
{
    /// <summary>Context length of the CLIP text encoder of Stable Diffusion 1.x.</summary>
    public const int DefaultContextLength = 77;

    private readonly BpeTokenizer _engine;
    private readonly string[] _pieceOf;

    private ClipTokenizer(BpeTokenizer engine, string[] pieceOf, int start, int end, int pad, int contextLength)
    {
        _engine = engine;
        _pieceOf = pieceOf;
        StartToken = start;
        EndToken = end;
        PadToken = pad;
        ContextLength = contextLength;
    }

    /// <inheritdoc/>
    public int ContextLength { get; }

    /// <inheritdoc/>
    public int StartToken { get; }

    /// <inheritdoc/>
    public int EndToken { get; }

    /// <summary>Id that fills a row after the end token; the end token itself in Stable Diffusion 1.x.</summary>
    public int PadToken { get; }

    /// <summary>Number of ids, i.e. rows of the token embedding: one more than the highest id.</summary>
    public int VocabularySize => _pieceOf.Length;

    /// <summary>Reads <c>vocab.json</c>, <c>merges.txt</c> and, where they exist, <c>tokenizer_config.json</c> and <c>special_tokens_map.json</c>.</summary>
    /// <param name="folder">The model's <c>tokenizer/</c> folder.</param>
    /// <param name="padToken">Padding piece; null takes what the folder names.</param>
    /// <returns>A tokenizer with the folder's context length (77 if it names none) and padding token (end-of-text if it names none).</returns>
    /// <exception cref="TokenizerFileException">A file is missing or damaged, or the files do not fit together.</exception>
    /// <remarks>
    /// Padding is "!" in Stable Diffusion 2.x, end-of-text in 1.x. Only as padding: a "!" in a prompt stays the vocabulary's own, as in the original
    /// tokenizer (transformers' cuts every "!" of a 2.x prompt out as a special token).
    /// </remarks>
    public static ClipTokenizer Load(string folder, string? padToken = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string vocabPath = Path.Combine(folder, "vocab.json");
        string mergesPath = Path.Combine(folder, "merges.txt");
        foreach (string path in new[] { vocabPath, mergesPath })
        {
            if (!File.Exists(path))
            {
                throw new TokenizerFileException(path, "the file is missing; a tokenizer folder needs vocab.json and merges.txt");
            }
        }

        Dictionary<string, int> vocabulary = ReadVocabulary(vocabPath);
        CheckMerges(mergesPath, vocabulary);
        int start = SpecialId(ClipText.StartOfText);
        int end = SpecialId(ClipText.EndOfText);
        int contextLength = ReadContextLength(folder);
        // Where both files name one, the map of special tokens wins, as in transformers: Stable Diffusion 2.x differs there.
        string? padPiece = padToken ?? ReadPadding(folder, "special_tokens_map.json") ?? ReadPadding(folder, "tokenizer_config.json");
        int pad = padPiece is null ? end : SpecialId(padPiece);

        using FileStream vocab = File.OpenRead(vocabPath);
        using FileStream merges = File.OpenRead(mergesPath);
        BpeTokenizer engine = BpeTokenizer.Create(
            vocab, merges, preTokenizer: new OneWord(), normalizer: null, specialTokens: null, unknownToken: ClipText.EndOfText,
            continuingSubwordPrefix: null, endOfWordSuffix: ByteAlphabet.EndOfWord, fuseUnknownTokens: false);

        string[] pieceOf = new string[vocabulary.Values.Max() + 1];
        foreach ((string piece, int id) in vocabulary)
        {
            pieceOf[id] = piece;
        }

        return new ClipTokenizer(engine, pieceOf, start, end, pad, contextLength);

        int SpecialId(string piece) => vocabulary.TryGetValue(piece, out int id)
            ? id
            : throw new TokenizerFileException(vocabPath, $"the token {piece} is missing; is this the vocabulary of a CLIP text encoder?");
    }

    /// <inheritdoc/>
    public TokenizedPrompt Tokenize(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        string clean = ClipText.CleanWhiteSpace(CanonicalForm.Compose(prompt));
        string lower = ClipText.Lower(clean);

        var pieces = new List<(int Id, int Length)>();
        foreach (string part in ClipText.Split(lower))
        {
            switch (part)
            {
                case ClipText.StartOfText:
                    pieces.Add((StartToken, part.Length));
                    break;
                case ClipText.EndOfText:
                    pieces.Add((EndToken, part.Length));
                    break;
                default:
                    foreach (EncodedToken token in _engine.EncodeToTokens(ByteAlphabet.Spell(part), out _))
                    {
                        pieces.Add((token.Id, token.Offset.End.Value - token.Offset.Start.Value));
                    }

                    break;
            }
        }

        string[] words = clean.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] lowerWords = lower.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var lengths = words.Zip(lowerWords, (word, low) => (word, System.Text.Encoding.UTF8.GetByteCount(low))).ToArray();
        return TokenizedPrompt.Create(prompt, lengths, pieces, StartToken, EndToken, PadToken, ContextLength);
    }

    /// <inheritdoc/>
    public string DecodePiece(int id)
    {
        if (id < 0 || id >= _pieceOf.Length || _pieceOf[id] is not { } piece)
        {
            throw new ArgumentOutOfRangeException(nameof(id), id, $"the vocabulary has ids 0 to {_pieceOf.Length - 1}");
        }

        if (id == StartToken || id == EndToken)
        {
            return piece;
        }

        return ByteAlphabet.Read(piece.EndsWith(ByteAlphabet.EndOfWord, StringComparison.Ordinal) ? piece[..^ByteAlphabet.EndOfWord.Length] : piece);
    }

    /// <summary>A piece as the vocabulary spells it.</summary>
    internal string RawPiece(int id) => _pieceOf[id];

    private static Dictionary<string, int> ReadVocabulary(string path)
    {
        Dictionary<string, int>? vocabulary;
        try
        {
            vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllBytes(path));
        }
        catch (JsonException e)
        {
            throw new TokenizerFileException(path, $"not a JSON object of piece: id pairs ({e.Message})", e);
        }

        if (vocabulary is null || vocabulary.Count == 0)
        {
            throw new TokenizerFileException(path, "the vocabulary is empty");
        }

        if (vocabulary.Values.Min() < 0 || vocabulary.Values.Max() >= 10_000_000)
        {
            throw new TokenizerFileException(path, $"ids run from {vocabulary.Values.Min()} to {vocabulary.Values.Max()}; expected 0 to fewer than ten million");
        }

        return vocabulary;
    }

    // The engine throws bare key errors for merges that do not fit the vocabulary, so look first.
    private static void CheckMerges(string path, Dictionary<string, int> vocabulary)
    {
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }

            int blank = line.IndexOf(' ', StringComparison.Ordinal);
            if (blank <= 0 || blank == line.Length - 1 || line.IndexOf(' ', blank + 1) >= 0)
            {
                throw new TokenizerFileException(path, $"line {number} is '{line}'; expected two pieces separated by one blank");
            }

            foreach (string piece in new[] { line[..blank], line[(blank + 1)..], string.Concat(line.AsSpan(0, blank), line.AsSpan(blank + 1)) })
            {
                if (!vocabulary.ContainsKey(piece))
                {
                    throw new TokenizerFileException(path, $"line {number} needs the piece '{piece}', which vocab.json does not have: the two files are not of one model");
                }
            }
        }
    }

    private static int ReadContextLength(string folder) => ReadSetting(folder, "tokenizer_config.json", (path, config) =>
    {
        // "No limit" is written as a number of thirty digits.
        if (!config.TryGetProperty("model_max_length", out JsonElement max) || max.ValueKind != JsonValueKind.Number || !max.TryGetInt32(out int limit)) return DefaultContextLength;
        return limit >= 3 ? limit : throw new TokenizerFileException(path, $"model_max_length is {limit}; expected at least 3 (start, one token, end)");
    }, DefaultContextLength);

    private static string? ReadPadding(string folder, string file) => ReadSetting(folder, file, (_, config) => !config.TryGetProperty("pad_token", out JsonElement token) ? null : token.ValueKind switch
    {
        JsonValueKind.String => token.GetString(),
        JsonValueKind.Object when token.TryGetProperty("content", out JsonElement content) => content.GetString(),
        _ => null,
    }, null);

    private static T ReadSetting<T>(string folder, string file, Func<string, JsonElement, T> read, T otherwise)
    {
        string path = Path.Combine(folder, file);
        if (!File.Exists(path)) return otherwise;
        try
        {
            using JsonDocument config = JsonDocument.Parse(File.ReadAllBytes(path));
            return read(path, config.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new TokenizerFileException(path, $"not a tokenizer configuration ({e.Message})", e);
        }
    }

    /// <summary>Keeps the engine from splitting what is one word already.</summary>
    private sealed class OneWord : PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => [(0, text.Length)];

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => [(0, text.Length)];
    }
}
