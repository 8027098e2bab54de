using NullTextResearch.Text;

namespace NullTextResearch.Editing;

/// <summary>The prompts of a word swap do not have the same number of words.</summary>
public sealed class WordCountMismatchException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    public WordCountMismatchException(TokenizedPrompt source, TokenizedPrompt target)
        : base(
            $"A word swap needs prompts with the same number of words. The source has {source.Words.Count} ({string.Join(", ", source.Words)}), "
                + $"the target {target.Words.Count} ({string.Join(", ", target.Words)}). Use a refinement to add or remove words."
        )
    {
        SourceWords = source.Words;
        TargetWords = target.Words;
    }

    /// <summary>Words of the source prompt.</summary>
    public IReadOnlyList<string> SourceWords { get; }

    /// <summary>Words of the target prompt.</summary>
    public IReadOnlyList<string> TargetWords { get; }
}
