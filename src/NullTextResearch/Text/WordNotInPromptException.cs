namespace NullTextResearch.Text;

/// <summary>A word that an edit names is not a word of the prompt.</summary>
public sealed class WordNotInPromptException : ArgumentException
{
    /// <summary>Describes the word and the possible alternatives.</summary>
    /// <param name="word">The requested word.</param>
    /// <param name="words">Words of the prompt that can be named: <see cref="TokenizedPrompt.Names"/>.</param>
    /// <param name="cutOff">True if the prompt has the word, but beyond the end of the context.</param>
    public WordNotInPromptException(string word, IReadOnlyList<string> words, bool cutOff)
        : base(Describe(word, words, cutOff))
    {
        Word = word;
        Words = words;
    }

    /// <summary>The requested word.</summary>
    public string Word { get; }

    /// <summary>The words that can be named.</summary>
    public IReadOnlyList<string> Words { get; }

    private static string Describe(string word, IReadOnlyList<string> words, bool cutOff)
    {
        ArgumentNullException.ThrowIfNull(words);
        if (cutOff)
        {
            return $"word '{word}' lies beyond the end of the text encoder's context: shorten the prompt or move the word forward";
        }

        string list = words.Count == 0 ? "the prompt is empty" : $"its words are: {string.Join(", ", words)}";
        return $"word '{word}' is not in the prompt; {list}{Spelling.Hint(word, words)}";
    }
}
