using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML.Tokenizers;

namespace NullTextResearch.Text;

/// <summary>CLIP's byte-pair tokenizer, read from the <c>tokenizer/</c> folder of a diffusers-format model.</summary>
/// <remarks>
/// Cleaning, word splitting and the spelling of bytes are implemented here. Microsoft.ML.Tokenizers merges the byte pairs of a word; it agreed with
/// the published algorithm on every word tried. Letters and their accents are composed (form C), white space is collapsed and text is lower-cased, as
/// in all published tokenizers of this vocabulary. Nothing else is normalised, as in the original without its optional text-fixing package: curly
/// quotes, ligatures and HTML entities stay as written.
/// Instances are immutable and can be used from several threads.
/// </remarks>
public sealed class ClipTokenizer : ITextTokenizer
{
    /// <summary>Context length of the CLIP text encoder of Stable Diffusion 1.x.</summary>
    public const int DefaultContextLength = 77;

    /// <summary>Maximum number of ids in a vocabulary, twenty times CLIP's.</summary>
    public const int MostTokens = 1_000_000;

    /// <summary>Maximum length of a row; larger numbers mean "no limit" in tokenizer files.</summary>
    public const int MostContext = 1 << 16;

    // At least twenty times the size of CLIP's files.
    private const int MostBytes = 1 << 25;

    private readonly BpeTokenizer _engine;
    private readonly string[] _pieceOf;
    private readonly AddedWords _added;

    private ClipTokenizer(BpeTokenizer engine, string[] pieceOf, AddedWords added, int start, int end, int pad, int contextLength)
    {
        _engine = engine;
        _pieceOf = pieceOf;
        _added = added;
        StartToken = start;
        EndToken = end;
        PadToken = pad;
        ContextLength = contextLength;
    }

    /// <summary>The files of a tokenizer folder; the first two are required.</summary>
    public static IReadOnlyList<string> FileNames { get; } =
    ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

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

    /// <summary>Words learned after the vocabulary was made (textual inversion), each with its id; empty for the published models.</summary>
    public IReadOnlyDictionary<string, int> LearnedWords => _added.Ids;

    /// <summary>
    /// Reads <c>vocab.json</c>, <c>merges.txt</c> and, if present, <c>tokenizer_config.json</c>, <c>special_tokens_map.json</c> and <c>added_tokens.json</c>.
    /// </summary>
    /// <param name="folder">The model's <c>tokenizer/</c> folder.</param>
    /// <param name="padToken">Padding piece; null for the one that the folder specifies.</param>
    /// <returns>A tokenizer with the folder's context length (77 if not specified) and padding token (end-of-text if not specified).</returns>
    /// <exception cref="TokenizerFileException">
    /// A file is missing, not a regular file or damaged, or the files do not fit together; the message gives file, place and reason.
    /// </exception>
    /// <remarks>
    /// Learned words (<c>added_tokens.json</c>, or <c>added_tokens_decoder</c> of the configuration) are cut out of a prompt before anything else,
    /// with the letter case they were added in, as in transformers' CLIPTokenizer. If <c>&lt;cat&gt;_1</c>, <c>&lt;cat&gt;_2</c> exist,
    /// <c>&lt;cat&gt;</c> stands for all of them, as in diffusers' pipelines.
    /// Padding is "!" in Stable Diffusion 2.x and end-of-text in 1.x. This applies only to padding: a "!" in a prompt remains the vocabulary's own,
    /// as in the original tokenizer (transformers' tokenizer cuts out every "!" of a 2.x prompt as a special token).
    /// </remarks>
    public static ClipTokenizer Load(string folder, string? padToken = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string vocabPath = Path.Combine(folder, "vocab.json");
        string mergesPath = Path.Combine(folder, "merges.txt");
        foreach (string path in new[] { vocabPath, mergesPath })
        {
            if (RegularFile.ProblemOf(path) == "is missing")
            {
                throw new TokenizerFileException(path, MissingText(folder));
            }
        }

        byte[] vocabBytes = Read(vocabPath, path => RegularFile.ReadAll(path, MostBytes));
        Dictionary<string, int> vocabulary = ReadVocabulary(vocabPath, vocabBytes);
        List<string> merges = ReadMerges(mergesPath, vocabulary);
        int start = SpecialId(ClipText.StartOfText);
        int end = SpecialId(ClipText.EndOfText);
        string configPath = Path.Combine(folder, "tokenizer_config.json"),
            mapPath = Path.Combine(folder, "special_tokens_map.json");
        JsonElement? config = ReadObject(configPath),
            map = ReadObject(mapPath);
        int contextLength = ReadContextLength(configPath, config);
        // If both files specify one, the map of special tokens wins, as in transformers: the two differ in Stable Diffusion 2.x.
        string? padPiece = padToken ?? ReadPadding(mapPath, map) ?? ReadPadding(configPath, config);
        int pad = padPiece is null ? end : SpecialId(padPiece);
        string addedPath = Path.Combine(folder, "added_tokens.json");
        AddedWords added = new(vocabulary, addedPath, ReadObject(addedPath), configPath, config);

        // Uses the content that was read and checked, instead of reading the files again.
        using MemoryStream vocab = new(vocabBytes);
        using MemoryStream lines = new(Encoding.UTF8.GetBytes(string.Join('\n', (string[])["#version: 0.2", .. merges])));
        BpeTokenizer engine = BpeTokenizer.Create(
            vocab,
            lines,
            preTokenizer: new OneWord(),
            normalizer: null,
            specialTokens: null,
            unknownToken: ClipText.EndOfText,
            continuingSubwordPrefix: null,
            endOfWordSuffix: ByteAlphabet.EndOfWord,
            fuseUnknownTokens: false
        );

        string[] pieceOf = new string[vocabulary.Values.Concat(added.Ids.Values).Max() + 1];
        foreach ((string piece, int id) in vocabulary.Concat(added.Ids))
        {
            pieceOf[id] = piece;
        }

        return new ClipTokenizer(engine, pieceOf, added, start, end, pad, contextLength);

        int SpecialId(string piece) =>
            vocabulary.TryGetValue(piece, out int id)
                ? id
                : throw new TokenizerFileException(vocabPath, $"the token {piece} is missing; is this the vocabulary of a CLIP text encoder?");
    }

    /// <inheritdoc/>
    public TokenizedPrompt Tokenize(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        string clean = ClipText.CleanWhiteSpace(CanonicalForm.Compose(prompt));
        string lower = ClipText.Lower(clean);

        List<(int Id, int Length)> pieces = new List<(int Id, int Length)>();
        int from = 0;
        for (int at = 0; at < clean.Length; )
        {
            int length = _added.LengthAt(clean, at);
            if (length == 0)
            {
                at++;
                continue;
            }

            AddPieces(clean[from..at], pieces);
            IReadOnlyList<int> ids = _added.IdsOf(clean.Substring(at, length));
            // All ids together fill the one word: the last one closes it.
            pieces.AddRange(ids.Select((id, i) => (id, i < ids.Count - 1 ? 0 : Encoding.UTF8.GetByteCount(ClipText.Lower(clean.Substring(at, length))))));
            from = at += length;
        }

        AddPieces(clean[from..], pieces);
        string[] words = clean.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string[] lowerWords = lower.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        (string word, int)[] lengths = words.Zip(lowerWords, (word, low) => (word, System.Text.Encoding.UTF8.GetByteCount(low))).ToArray();
        return TokenizedPrompt.Create(prompt, lengths, pieces, StartToken, EndToken, PadToken, ContextLength);
    }

    /// <inheritdoc/>
    public string DecodePiece(int id)
    {
        if (id < 0 || id >= _pieceOf.Length || _pieceOf[id] is not { } piece)
        {
            throw new ArgumentOutOfRangeException(nameof(id), id, $"the vocabulary has ids 0 to {_pieceOf.Length - 1}");
        }

        if (id == StartToken || id == EndToken || _added.Ids.ContainsKey(piece))
        {
            return piece;
        }

        return ByteAlphabet.Read(piece.EndsWith(ByteAlphabet.EndOfWord, StringComparison.Ordinal) ? piece[..^ByteAlphabet.EndOfWord.Length] : piece);
    }

    /// <summary>A piece as the vocabulary spells it.</summary>
    internal string RawPiece(int id) => _pieceOf[id];

    private void AddPieces(string text, List<(int Id, int Length)> pieces)
    {
        foreach (string part in ClipText.Split(ClipText.Lower(text)))
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
    }

    /// <summary>Error text for a folder without the two files.</summary>
    internal static string MissingText(string folder) =>
        File.Exists(Path.Combine(folder, "tokenizer.json"))
            ? "the file is missing; the folder has tokenizer.json, the same vocabulary in the format of transformers' fast tokenizers, which is not "
                + "supported. Take vocab.json and merges.txt from openai/clip-vit-large-patch14, or create them "
                + "once: python -c \"from transformers import CLIPTokenizerFast as T; "
                + "T(tokenizer_file='tokenizer.json').save_vocabulary('.')\" in that folder"
            : "the file is missing; a tokenizer folder needs vocab.json and merges.txt";

    private static T Read<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (UnreadableFileException e)
        {
            throw new TokenizerFileException(path, $"it {e.Problem}", e);
        }
    }

    private static Dictionary<string, int> ReadVocabulary(string path, byte[] bytes)
    {
        JsonElement json;
        try
        {
            json = StrictJson.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw new TokenizerFileException(
                path,
                ForeignContent.Of(bytes) is { } what ? $"it is {what}" : $"not a JSON object of piece: id pairs ({e.Message.TrimEnd('.')})",
                e
            );
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            throw new TokenizerFileException(path, $"expected a JSON object of piece: id pairs, found {json.ValueKind}");
        }

        Dictionary<string, int> vocabulary = ReadIds(path, json);
        return vocabulary.Count > 0 ? vocabulary : throw new TokenizerFileException(path, "the vocabulary is empty");
    }

    /// <summary>Reads an object of ids, each used once.</summary>
    internal static Dictionary<string, int> ReadIds(string path, JsonElement json)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        Dictionary<int, string> pieces = [];
        foreach (JsonProperty item in json.EnumerateObject())
        {
            string piece = item.Name;
            if (item.Value.ValueKind != JsonValueKind.Number || !item.Value.TryGetInt32(out int id) || id is < 0 or >= MostTokens)
            {
                throw new TokenizerFileException(
                    path,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"the id of '{Excerpt.Of(piece)}' is {Excerpt.Of(item.Value.GetRawText())}; expected a whole number from 0 to {MostTokens - 1}"
                    )
                );
            }

            if (!pieces.TryAdd(id, piece))
            {
                throw new TokenizerFileException(path, $"the pieces '{Excerpt.Of(pieces[id])}' and '{Excerpt.Of(piece)}' share the id {id}");
            }

            ids.Add(piece, id);
        }

        return ids;
    }

    // The engine throws bare key errors for merges that do not fit the vocabulary, so they are checked first.
    private static List<string> ReadMerges(string path, Dictionary<string, int> vocabulary)
    {
        using StringReader reader = new(Read(path, p => RegularFile.ReadText(p, MostBytes)));
        Dictionary<string, int> lines = new(StringComparer.Ordinal);
        List<string> merges = [];
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }

            int blank = line.IndexOf(' ', StringComparison.Ordinal);
            if (blank <= 0 || blank == line.Length - 1 || line.IndexOf(' ', blank + 1) >= 0)
            {
                string what =
                    number == 1 && ForeignContent.Of(Encoding.UTF8.GetBytes(Excerpt.Of(line))) is { } foreign
                        ? $"it is {foreign}"
                        : $"line {number} is '{Excerpt.Of(line)}'; expected two pieces separated by one blank";
                throw new TokenizerFileException(path, what);
            }

            foreach (string piece in new[] { line[..blank], line[(blank + 1)..], string.Concat(line.AsSpan(0, blank), line.AsSpan(blank + 1)) })
            {
                if (!vocabulary.ContainsKey(piece))
                {
                    throw new TokenizerFileException(
                        path,
                        $"line {number} needs the piece '{Excerpt.Of(piece)}', which is not in vocab.json: the two files come from different models"
                    );
                }
            }

            if (!lines.TryAdd(line, number))
            {
                throw new TokenizerFileException(
                    path,
                    $"line {number} is '{Excerpt.Of(line)}', like line {lines[line]}: the priority of this merge is ambiguous"
                );
            }

            merges.Add(line);
        }

        return merges;
    }

    private static int ReadContextLength(string path, JsonElement? config)
    {
        if (config is not { } json || !json.TryGetProperty("model_max_length", out JsonElement max) || max.ValueKind == JsonValueKind.Null)
            return DefaultContextLength;
        // "No limit" is written as a number of thirty digits, or as the largest 32-bit number.
        if (max.ValueKind == JsonValueKind.Number && max.GetDouble() > MostContext)
            return DefaultContextLength;
        if (max.ValueKind != JsonValueKind.Number || !max.TryGetInt32(out int limit))
            throw new TokenizerFileException(path, $"model_max_length is {Excerpt.Of(max.GetRawText())}; expected a whole number");
        return limit >= 3 ? limit : throw new TokenizerFileException(path, $"model_max_length is {limit}; expected at least 3 (start, one token, end)");
    }

    private static string? ReadPadding(string path, JsonElement? config)
    {
        if (config is not { } json || !json.TryGetProperty("pad_token", out JsonElement token) || token.ValueKind == JsonValueKind.Null)
            return null;
        if (token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out JsonElement content))
            token = content;
        return token.ValueKind == JsonValueKind.String
            ? token.GetString()
            : throw new TokenizerFileException(path, $"pad_token is {Excerpt.Of(token.GetRawText())}; expected a string, or an object with a 'content'");
    }

    // Null if the file does not exist.
    private static JsonElement? ReadObject(string path)
    {
        if (RegularFile.ProblemOf(path) == "is missing")
            return null;
        try
        {
            JsonElement json = Read(path, p => StrictJson.ReadFile(p, MostBytes));
            return json.ValueKind == JsonValueKind.Object
                ? json
                : throw new TokenizerFileException(path, $"not a tokenizer configuration: expected a JSON object, found {json.ValueKind}");
        }
        catch (JsonException e)
        {
            throw new TokenizerFileException(path, $"not a tokenizer configuration ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Prevents the engine from splitting a single word.</summary>
    private sealed class OneWord : PreTokenizer
    {
        public override IEnumerable<(int Offset, int Length)> PreTokenize(string text) => [(0, text.Length)];

        public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => [(0, text.Length)];
    }
}
