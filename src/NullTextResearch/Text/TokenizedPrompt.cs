using static TorchSharp.torch;

namespace NullTextResearch.Text;

/// <summary>A prompt as token ids, with the positions of each word.</summary>
/// <remarks>
/// Words follow prompt-to-prompt's rule: the prompt is split at single spaces, pieces are taken until their characters fill the word, and positions
/// count the start token as 0. Punctuation that touches a word belongs to it, and so do its positions.
/// Words are looked up by <see cref="PromptWords"/>'s rule: "house" finds "house," if no word is spelled "house". If the published code finds a word,
/// the result is the same; if it finds nothing, the result is the word that was meant.
/// Two deliberate deviations have no effect on ordinary prompts: repeated white space is collapsed before splitting (the published code gives an
/// empty word a token that belongs to the next one), and lengths are counted in UTF-8 bytes (the published code miscounts characters that are split
/// over several tokens).
/// </remarks>
public sealed class TokenizedPrompt
{
    private readonly int[][] _positions;
    private readonly int[] _ids;

    private TokenizedPrompt(string prompt, int[] ids, string[] words, int[][] positions, int required)
    {
        Prompt = prompt;
        _ids = ids;
        Ids = Array.AsReadOnly(ids);
        Words = Array.AsReadOnly(words);
        _positions = positions;
        RequiredTokenCount = required;
        TokenCount = Math.Min(required, ids.Length - 2);
        TruncatedWords = IsTruncated ? Array.AsReadOnly(words.Where((_, i) => positions[i].Length == 0 || positions[i][^1] > TokenCount).ToArray()) : [];
    }

    /// <summary>The text as given.</summary>
    public string Prompt { get; }

    /// <summary>The row for the text encoder: start token, pieces, end token, padding; length <see cref="ContextLength"/>.</summary>
    public IReadOnlyList<int> Ids { get; }

    /// <summary>Words of the prompt in order, letter case kept.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>Length of the row, start and end token included.</summary>
    public int ContextLength => _ids.Length;

    /// <summary>Number of pieces in the row, without start, end and padding: they occupy positions 1 to this number.</summary>
    public int TokenCount { get; }

    /// <summary>Number of pieces the whole prompt needs, without start and end.</summary>
    public int RequiredTokenCount { get; }

    /// <summary>Whether pieces were cut off because the prompt is longer than the context.</summary>
    public bool IsTruncated => RequiredTokenCount > TokenCount;

    /// <summary>Words that lost at least one piece, in order; empty if nothing was cut.</summary>
    public IReadOnlyList<string> TruncatedWords { get; }

    /// <summary>Names of the words in the row, in order, each once, without the punctuation around them. Each of them can be looked up.</summary>
    public IReadOnlyList<string> Names => [.. Words.Where((_, i) => IsInRow(i)).Select(PromptWords.NameOf).Distinct(StringComparer.Ordinal)];

    /// <summary>Positions of every occurrence of a word in the row, ascending.</summary>
    /// <param name="word">A word as the prompt spells it; if none matches exactly, letter case is ignored, then also the punctuation around the words.</param>
    /// <returns>At least one position, each from 1 to <see cref="TokenCount"/>.</returns>
    /// <exception cref="WordNotInPromptException">The prompt has no such word, or it lies beyond the end of the context.</exception>
    public IReadOnlyList<int> PositionsOf(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        IReadOnlyList<int> found = IndicesOf(word);
        if (found.Count == 0)
        {
            throw new WordNotInPromptException(word, Names, PromptWords.Find(Words, word).Count > 0);
        }

        return found.SelectMany(i => _positions[i]).Where(p => p <= TokenCount).ToArray();
    }

    /// <summary>Whether <see cref="PositionsOf"/> would succeed with this word.</summary>
    /// <param name="word">A word, looked up in the same way.</param>
    /// <returns>True if at least one piece of it is in the row.</returns>
    public bool HasWord(string word) => IndicesOf(word).Count > 0;

    /// <summary>Which words a name accepted by <see cref="PositionsOf"/> refers to.</summary>
    /// <param name="word">A word, looked up in the same way.</param>
    /// <returns>Indices into <see cref="Words"/>, ascending, of those that are in the row; empty if there is none.</returns>
    public IReadOnlyList<int> IndicesOf(string word)
    {
        // A word that was cut off does not hide another of the same name.
        int[] inRow = [.. Enumerable.Range(0, Words.Count).Where(IsInRow)];
        return [.. PromptWords.Find([.. inRow.Select(i => Words[i])], word).Select(i => inRow[i])];
    }

    /// <summary>Positions of the word with a given index in the row, ascending.</summary>
    /// <param name="index">Index into <see cref="Words"/>.</param>
    /// <returns>Positions from 1 to <see cref="TokenCount"/>; empty if the word was cut off entirely.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The prompt has no word with that index.</exception>
    public IReadOnlyList<int> PositionsOfWordAt(int index)
    {
        if (index < 0 || index >= Words.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), index, $"the prompt has {Words.Count} words, counted from 0: {string.Join(", ", Words)}");
        }

        return _positions[index].Where(p => p <= TokenCount).ToArray();
    }

    /// <summary>Throws if the prompt does not fit the context.</summary>
    /// <returns>This prompt.</returns>
    /// <exception cref="PromptTooLongException">Pieces were cut off.</exception>
    public TokenizedPrompt EnsureFits() => IsTruncated ? throw new PromptTooLongException(this) : this;

    /// <summary>Rows of several prompts as one tensor.</summary>
    /// <param name="prompts">At least one prompt; all with the same context length.</param>
    /// <param name="device">Device of the tensor; null for the CPU.</param>
    /// <returns>Token ids [B, context], int64, owned by the caller.</returns>
    /// <exception cref="ArgumentException">No prompt, or different context lengths.</exception>
    public static Tensor Stack(IReadOnlyList<TokenizedPrompt> prompts, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (prompts.Count == 0)
        {
            throw new ArgumentException("at least one prompt is needed", nameof(prompts));
        }

        int length = prompts[0].ContextLength;
        if (prompts.FirstOrDefault(p => p.ContextLength != length) is { } odd)
        {
            throw new ArgumentException($"all prompts must have the same context length, got {length} and {odd.ContextLength}", nameof(prompts));
        }

        long[] flat = prompts.SelectMany(p => p._ids).Select(id => (long)id).ToArray();
        return tensor(flat, [prompts.Count, length], dtype: ScalarType.Int64, device: device ?? CPU);
    }

    /// <summary>Lays out a row and matches pieces to words.</summary>
    /// <param name="prompt">The text as given.</param>
    /// <param name="words">Words with the length that their pieces must fill.</param>
    /// <param name="pieces">Ids of all pieces with their length in the same unit.</param>
    /// <param name="start">Opening id.</param>
    /// <param name="end">Closing id.</param>
    /// <param name="pad">Padding id.</param>
    /// <param name="contextLength">Length of the row.</param>
    internal static TokenizedPrompt Create(
        string prompt,
        IReadOnlyList<(string Text, int Length)> words,
        IReadOnlyList<(int Id, int Length)> pieces,
        int start,
        int end,
        int pad,
        int contextLength
    )
    {
        int kept = Math.Min(pieces.Count, contextLength - 2);
        int[] ids = new int[contextLength];
        Array.Fill(ids, pad);
        ids[0] = start;
        for (int i = 0; i < kept; i++)
        {
            ids[i + 1] = pieces[i].Id;
        }

        ids[kept + 1] = end;

        int[][] positions = new int[words.Count][];
        int piece = 0;
        for (int w = 0; w < words.Count; w++)
        {
            List<int> own = new List<int>();
            for (int filled = 0; filled < words[w].Length && piece < pieces.Count; piece++)
            {
                filled += pieces[piece].Length;
                own.Add(piece + 1);
            }

            positions[w] = [.. own];
        }

        return new TokenizedPrompt(prompt, ids, words.Select(w => w.Text).ToArray(), positions, pieces.Count);
    }

    private bool IsInRow(int index) => _positions[index].Length > 0 && _positions[index][0] <= TokenCount;
}
