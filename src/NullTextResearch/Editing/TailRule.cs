namespace NullTextResearch.Editing;

/// <summary>What a word swap does with the tokens behind the last changed word when the words differ in their number of tokens.</summary>
public enum TailRule
{
    /// <summary>Target tokens take the maps of the same words' source tokens, shifted as needed.</summary>
    Corrected,

    /// <summary>As the released code: target position j takes source position j, so the tail is mis-aligned by the difference.</summary>
    Published,
}
