namespace NullTextResearch.Text;

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
