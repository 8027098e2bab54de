namespace NullTextResearch.Editing;

/// <summary>How to handle a word in an option that the prompt does not contain.</summary>
public enum MissingWordRule
{
    /// <summary>Throw, listing the prompt's words.</summary>
    Refuse,

    /// <summary>Ignore it, as the released code does (silently dropping what was requested).</summary>
    Skip,
}
