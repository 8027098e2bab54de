namespace NullTextResearch.Inversion;

/// <summary>Moment decays of Adam (Kingma and Ba 2015); defaults are PyTorch's, which the released code uses.</summary>
public sealed record AdamOptions
{
    /// <summary>Decay of the mean of gradients, in [0, 1).</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of squared gradients, in [0, 1).</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator.</summary>
    public double Epsilon { get; init; } = 1e-8;

    internal IEnumerable<string> Problems()
    {
        if (!(Beta1 is >= 0 and < 1))
            yield return FormattableString.Invariant($"Adam.Beta1 is {Beta1}; it must lie in [0, 1).");
        if (!(Beta2 is >= 0 and < 1))
            yield return FormattableString.Invariant($"Adam.Beta2 is {Beta2}; it must lie in [0, 1).");
        if (!(Epsilon > 0))
            yield return FormattableString.Invariant($"Adam.Epsilon is {Epsilon}; it must be positive.");
    }
}

internal static class OptionProblems
{
    /// <summary>Throws one exception that lists every problem.</summary>
    public static void ThrowIfAny(string options, IEnumerable<string> problems)
    {
        string[] all = [.. problems];
        if (all.Length > 0)
            throw new ArgumentException($"{options}: {string.Join(" ", all)}");
    }
}
