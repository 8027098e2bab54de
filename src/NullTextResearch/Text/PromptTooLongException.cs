namespace NullTextResearch.Text;

/// <summary>A prompt needs more tokens than the text encoder's context holds.</summary>
public sealed class PromptTooLongException : ArgumentException
{
    /// <summary>Describes what was lost.</summary>
    /// <param name="prompt">The truncated prompt.</param>
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
