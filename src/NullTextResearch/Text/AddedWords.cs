using System.Globalization;
using System.Text.Json;

namespace NullTextResearch.Text;

/// <summary>
/// Words that a model learned after its vocabulary was made. Each has one id (or several: <c>word</c>, <c>word_1</c>, ...), and byte pairs never split it.
/// </summary>
internal sealed class AddedWords
{
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<string> _onlyAlone = new(StringComparer.Ordinal);
    private readonly int[] _lengths;

    /// <summary>Collects the words of a folder.</summary>
    /// <param name="vocabulary">Words in it are not added words.</param>
    /// <param name="addedPath">Path of added_tokens.json, for messages.</param>
    /// <param name="added">Its content; null if the file does not exist.</param>
    /// <param name="configPath">Path of tokenizer_config.json, for messages.</param>
    /// <param name="config">Its content; null if the file does not exist.</param>
    /// <exception cref="TokenizerFileException">The files contradict the vocabulary or each other.</exception>
    public AddedWords(Dictionary<string, int> vocabulary, string addedPath, JsonElement? added, string configPath, JsonElement? config)
    {
        Dictionary<int, string> taken = vocabulary.ToDictionary(p => p.Value, p => p.Key);
        if (added is { } list)
        {
            foreach ((string word, int id) in ClipTokenizer.ReadIds(addedPath, list))
                Add(addedPath, word, id);
        }
        if (config is { } json && json.TryGetProperty("added_tokens_decoder", out JsonElement decoder) && decoder.ValueKind != JsonValueKind.Null)
        {
            if (decoder.ValueKind != JsonValueKind.Object)
                throw Bad(configPath, "added_tokens_decoder", decoder, "an object keyed by id");
            foreach (JsonProperty item in decoder.EnumerateObject())
            {
                if (!int.TryParse(item.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || id >= ClipTokenizer.MostTokens)
                    throw new TokenizerFileException(
                        configPath,
                        $"added_tokens_decoder has the id '{Excerpt.Of(item.Name)}'; expected a whole number from 0 to {ClipTokenizer.MostTokens - 1}"
                    );
                if (
                    item.Value.ValueKind != JsonValueKind.Object
                    || !item.Value.TryGetProperty("content", out JsonElement content)
                    || content.ValueKind != JsonValueKind.String
                )
                    throw Bad(configPath, $"{id} in added_tokens_decoder", item.Value, "an object with the member 'content'");
                bool alone = item.Value.TryGetProperty("single_word", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
                Add(configPath, content.GetString()!, id);
                if (alone)
                    _onlyAlone.Add(content.GetString()!);
            }
        }
        _lengths = [.. _ids.Keys.Select(word => word.Length).Distinct().OrderDescending()];

        void Add(string path, string text, int id)
        {
            string word = CanonicalForm.Compose(text),
                quoted = $"the added word '{Excerpt.Of(text)}'";
            if (vocabulary.TryGetValue(text, out int own))
            {
                // The start and end tokens, and the padding of Stable Diffusion 2.x, are handled separately.
                if (own == id)
                    return;
                throw new TokenizerFileException(path, $"{quoted} has the id {id}, but {own} in vocab.json");
            }
            if (word.Length == 0 || word.Any(char.IsWhiteSpace))
                throw new TokenizerFileException(path, $"{quoted} is empty or contains white space, which is not supported");
            if (_ids.TryGetValue(word, out int before) && before == id)
                return;
            if (!_ids.TryAdd(word, id))
                throw new TokenizerFileException(path, $"{quoted} has the id {id}, but {before} in the other file");
            if (!taken.TryAdd(id, text))
                throw new TokenizerFileException(path, $"{quoted} has the id {id}, which belongs to '{Excerpt.Of(taken[id])}'");
        }

        static TokenizerFileException Bad(string path, string what, JsonElement got, string expected) =>
            new(path, $"{what} is {Excerpt.Of(got.GetRawText())}; expected {expected}");
    }

    /// <summary>Each word with its id.</summary>
    public IReadOnlyDictionary<string, int> Ids => _ids;

    /// <summary>Length of the longest added word at a position; 0 if there is none.</summary>
    public int LengthAt(string text, int at)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> alone = _onlyAlone.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (int length in _lengths)
        {
            if (at + length > text.Length)
                continue;
            ReadOnlySpan<char> word = text.AsSpan(at, length);
            if (!ids.ContainsKey(word))
                continue;
            bool stands = (at == 0 || text[at - 1] == ' ') && (at + length == text.Length || text[at + length] == ' ');
            if (stands || !alone.Contains(word))
                return length;
        }
        return 0;
    }

    /// <summary>The ids of a word: its own and those of <c>word_1</c>, <c>word_2</c>, ... (one learned word with several vectors).</summary>
    public IReadOnlyList<int> IdsOf(string word)
    {
        List<int> ids = [_ids[word]];
        while (_ids.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"{word}_{ids.Count}"), out int next))
            ids.Add(next);
        return ids;
    }
}
