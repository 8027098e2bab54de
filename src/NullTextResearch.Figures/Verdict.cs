namespace NullTextResearch.Figures;

/// <summary>Whether a run shows what the paper claims.</summary>
public enum Verdict
{
    /// <summary>All that the claim compares lies as in the paper, and the 95 % intervals of the paired differences exclude chance.</summary>
    Reproduced,

    /// <summary>Some of it does, or the means do and an interval reaches zero.</summary>
    Partly,

    /// <summary>None of it does.</summary>
    NotReproduced,
}
