namespace NullTextResearch.Text;

/// <summary>How options, error messages and results refer to words of a prompt.</summary>
public static class PromptWords
{
    /// <summary>
    /// The words that a name refers to: those spelled exactly like it; if there are none, in any letter case; if there are none, without the
    /// punctuation around the words.
    /// </summary>
    /// <param name="words">Words of a prompt, split at blanks.</param>
    /// <param name="name">The name as typed.</param>
    /// <returns>Indices of the words, ascending; empty if none matches.</returns>
    public static IReadOnlyList<int> Find(IReadOnlyList<string> words, string name)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(name);
        string composed = CanonicalForm.Compose(name),
            bare = Bare(composed);
        StringComparison[] comparisons = [StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase];
        IEnumerable<Func<string, bool>> ways =
        [
            .. comparisons.Select(c => (Func<string, bool>)(word => string.Equals(word, composed, c))),
            .. comparisons.Select(c => (Func<string, bool>)(word => bare.Length > 0 && string.Equals(Bare(word), bare, c))),
        ];
        return ways.Select(means => (int[])[.. Enumerable.Range(0, words.Count).Where(i => means(words[i]))]).FirstOrDefault(found => found.Length > 0) ?? [];
    }

    /// <summary>The name of a word: the word without the punctuation around it, or the punctuation if there is nothing else.</summary>
    /// <param name="word">A word of a prompt.</param>
    public static string NameOf(string word) => Bare(word) is { Length: > 0 } bare ? bare : word;

    private static string Bare(string word)
    {
        int from = 0,
            to = word.Length;
        while (from < to && char.IsPunctuation(word[from]))
            from++;
        while (to > from && char.IsPunctuation(word[to - 1]))
            to--;
        return word[from..to];
    }
}
