namespace NullTextResearch.Text;

/// <summary>A prompt needs more tokens than the text encoder's context holds.</summary>
public sealed class PromptTooLongException : ArgumentException
{
    /// <summary>Describes what was lost.</summary>
    /// <param name="prompt">The cut prompt.</param>
    public PromptTooLongException(TokenizedPrompt prompt)
        : base(Describe(prompt))
    {
        Required = prompt.RequiredTokenCount;
        Available = prompt.TokenCount;
        LostWords = prompt.TruncatedWords;
    }

    /// <summary>Tokens the prompt needs.</summary>
    public int Required { get; }

    /// <summary>Tokens that fit, start and end token not counted.</summary>
    public int Available { get; }

    /// <summary>Words that do not fit, or fit only in part.</summary>
    public IReadOnlyList<string> LostWords { get; }

    private static string Describe(TokenizedPrompt prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return $"the prompt needs {prompt.RequiredTokenCount} tokens and {prompt.TokenCount} fit; it would lose: "
            + $"{string.Join(" ", prompt.TruncatedWords)}. Shorten it.";
    }
}

/// <summary>A word that an edit names is not a word of the prompt.</summary>
public sealed class WordNotInPromptException : ArgumentException
{
    /// <summary>Describes the word and what would have been possible.</summary>
    /// <param name="word">The word that was asked for.</param>
    /// <param name="words">Words that the prompt has and that can be named: <see cref="TokenizedPrompt.Names"/>.</param>
    /// <param name="cutOff">True if the prompt has the word, but behind the end of the context.</param>
    public WordNotInPromptException(string word, IReadOnlyList<string> words, bool cutOff)
        : base(Describe(word, words, cutOff))
    {
        Word = word;
        Words = words;
    }

    /// <summary>The word that was asked for.</summary>
    public string Word { get; }

    /// <summary>What could have been named.</summary>
    public IReadOnlyList<string> Words { get; }

    private static string Describe(string word, IReadOnlyList<string> words, bool cutOff)
    {
        ArgumentNullException.ThrowIfNull(words);
        if (cutOff)
        {
            return $"word '{word}' lies behind the end of the text encoder's context: shorten the prompt or move the word forward";
        }

        string list = words.Count == 0 ? "the prompt is empty" : $"its words are: {string.Join(", ", words)}";
        return $"word '{word}' is not in the prompt; {list}{Spelling.Hint(word, words)}";
    }
}

/// <summary>A prompt says nothing that the model has words for.</summary>
public sealed class UnknownWordsException : ArgumentException
{
    /// <summary>Describes the words and what would have been possible.</summary>
    /// <param name="message">The problem, in words for a user.</param>
    /// <param name="words">The words.</param>
    internal UnknownWordsException(string message, IReadOnlyList<string> words)
        : base(message)
    {
        Words = words;
    }

    /// <summary>The words that the model does not know.</summary>
    public IReadOnlyList<string> Words { get; }
}

/// <summary>The files of a tokenizer are missing or do not fit together.</summary>
public sealed class TokenizerFileException : IOException
{
    /// <summary>Names the file and what is wrong with it.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="problem">What was expected, what came, what to try.</param>
    /// <param name="inner">The error below, if any.</param>
    public TokenizerFileException(string path, string problem, Exception? inner = null)
        : base($"{path}: {problem}", inner)
    {
        FilePath = path;
    }

    /// <summary>The file or folder.</summary>
    public string FilePath { get; }
}
