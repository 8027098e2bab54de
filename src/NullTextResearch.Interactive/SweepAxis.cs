namespace NullTextResearch.Interactive;

/// <summary>A setting that a sweep varies: its name, its values, and how a value changes the options of an edit.</summary>
/// <param name="Name">Name of the slider.</param>
/// <param name="Values">Values, at least one.</param>
/// <param name="Apply">Returns the options with the value applied.</param>
public sealed record SweepAxis(string Name, IReadOnlyList<double> Values, Func<EditOptions, double, EditOptions> Apply)
{
    /// <summary>Text before a value below its picture, such as <c>w = </c> (default: nothing).</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Start value of the slider, if it is one of the values; null (default) uses the guidance scale of the inversion.</summary>
    public double? Start { get; init; }

    /// <summary>
    /// Arbitrary numbers for custom work: <see cref="Workbench.Explore(string, IReadOnlyList{SweepAxis}, Func{IReadOnlyList{double}, ExplorationWork,
    /// ExplorationPoint}, IReadOnlyList{NamedImage}, int, CancellationToken)"/>. Does not change the options of an edit.
    /// </summary>
    /// <param name="name">Name of the slider.</param>
    /// <param name="values">Values, at least one.</param>
    public static SweepAxis Of(string name, params IReadOnlyList<double> values) => new(name, values, (o, _) => o);

    /// <summary>w, the guidance scale.</summary>
    /// <param name="values">Values, such as 1, 2.5, 5, 7.5.</param>
    public static SweepAxis Guidance(params IReadOnlyList<double> values) =>
        new("guidance scale w", values, (o, w) => o with { GuidanceScale = w }) { Prefix = "w = " };

    /// <summary>Attention factor of one word.</summary>
    /// <param name="word">A word of the target prompt.</param>
    /// <param name="factors">Values, such as -2, 0, 1, 2, 4.</param>
    public static SweepAxis Word(string word, params IReadOnlyList<double> factors) =>
        new($"factor of \"{word}\"", factors, (o, f) => o with { Weights = new Dictionary<string, double>(o.Weights) { [word] = f } })
        {
            Prefix = "× ",
            Start = 1,
        };

    /// <summary>Share of the steps with injected cross-attention maps.</summary>
    /// <param name="shares">Values from 0 to 1.</param>
    public static SweepAxis CrossReplace(params IReadOnlyList<double> shares) =>
        new("cross-attention until", shares, (o, s) => o with { CrossReplace = s }) { Start = 0.8 };

    /// <summary>Share of the steps with injected self-attention.</summary>
    /// <param name="shares">Values from 0 to 1.</param>
    public static SweepAxis SelfReplace(params IReadOnlyList<double> shares) =>
        new("self-attention until", shares, (o, s) => o with { SelfReplace = s }) { Start = 0.4 };
}
