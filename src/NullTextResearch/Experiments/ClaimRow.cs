using NullTextResearch.Metrics;

namespace NullTextResearch.Experiments;

/// <summary>One ranking that the paper reports, as a difference that is positive if a model shows it too.</summary>
/// <param name="Claim">What is compared.</param>
/// <param name="Variant">How: rows of the null text, kind of edit.</param>
/// <param name="Unit">Unit of the difference.</param>
/// <param name="Difference">Mean over images with its interval.</param>
public sealed record ClaimRow(string Claim, string Variant, string Unit, PairedDifference Difference)
{
    /// <summary>"as in the paper" or "the other way round" if the interval excludes zero, otherwise "not clear".</summary>
    public string Verdict =>
        !Difference.IsClear ? "not clear"
        : Difference.Mean > 0 ? "as in the paper"
        : "the other way round";
}
