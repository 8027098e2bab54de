namespace NullTextResearch.Figures;

/// <summary>Whether a run shows what the paper claims.</summary>
public enum Verdict
{
    /// <summary>All comparisons of the claim agree with the paper, and the 95 % intervals of the paired differences exclude zero.</summary>
    Reproduced,

    /// <summary>Some comparisons agree, or the means agree but an interval reaches zero.</summary>
    Partly,

    /// <summary>No comparison agrees.</summary>
    NotReproduced,
}
