namespace NullTextResearch.Bench;

/// <summary>Work that the released algorithm does and a careful implementation avoids.</summary>
/// <param name="WeightGradients">Weights require gradients, and backward computes them for every weight.</param>
/// <param name="RecomputeConditional">The advance evaluates the conditional branch again.</param>
/// <param name="ExplicitMaps">Every attention layer builds its map.</param>
public sealed record Waste(bool WeightGradients, bool RecomputeConditional, bool ExplicitMaps)
{
    public static Waste All { get; } = new(true, true, true);

    public static Waste None { get; } = new(false, false, false);

    public override string ToString() =>
        string.Concat(
                WeightGradients ? "weight gradients, " : "",
                RecomputeConditional ? "conditional recomputed, " : "",
                ExplicitMaps ? "explicit maps, " : ""
            )
            .TrimEnd(',', ' ');
}
