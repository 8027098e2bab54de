using System.Globalization;

namespace NullTextResearch.Verification;

/// <summary>One limit and its measured value.</summary>
/// <param name="Name">Kind of measure, as in checks.json: <c>rel_l2</c>, <c>max_abs</c>, ...</param>
/// <param name="Value">The measured value.</param>
/// <param name="Limit">The limit, scaled if the check says so.</param>
/// <param name="AtLeast">True if larger is better (PSNR).</param>
public sealed record VerificationMeasure(string Name, double Value, double Limit, bool AtLeast = false)
{
    /// <summary>Whether the limit holds; it never does for NaN.</summary>
    public bool Holds => AtLeast ? Value >= Limit : Value <= Limit;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Value:g3} ({(AtLeast ? "at least" : "limit")} {Limit:g3})");
}
