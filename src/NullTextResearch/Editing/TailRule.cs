namespace NullTextResearch.Editing;

/// <summary>How a word swap maps the tokens after the last changed word if the words differ in their number of tokens.</summary>
public enum TailRule
{
    /// <summary>Target tokens take the maps of the same words' source tokens, shifted as needed.</summary>
    Corrected,

    /// <summary>As in the released code: target position j takes source position j, so the tail is misaligned by the difference.</summary>
    Published,
}
