namespace NullTextResearch.Text;

/// <summary>The model knows none of the words that could describe a prompt's picture.</summary>
public sealed class UnknownWordsException : ArgumentException
{
    /// <summary>Describes the words and the possible alternatives.</summary>
    /// <param name="message">The problem, as a message to the user.</param>
    /// <param name="words">The words.</param>
    internal UnknownWordsException(string message, IReadOnlyList<string> words)
        : base(message)
    {
        Words = words;
    }

    /// <summary>The words that the model does not know.</summary>
    public IReadOnlyList<string> Words { get; }
}
