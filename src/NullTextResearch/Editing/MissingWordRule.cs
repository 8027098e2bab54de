namespace NullTextResearch.Editing;

/// <summary>What to do about a word of an option that the prompt does not contain.</summary>
public enum MissingWordRule
{
    /// <summary>Throw, naming the words that are there.</summary>
    Refuse,

    /// <summary>Ignore it, as the released code does (silently losing what was asked for).</summary>
    Skip,
}
