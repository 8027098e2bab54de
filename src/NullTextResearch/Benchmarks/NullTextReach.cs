using NullTextResearch.Diffusion;

namespace NullTextResearch.Benchmarks;

/// <summary>What null texts can reach at best, on a few images.</summary>
/// <param name="Furthest">The longest optimisation (<see cref="NullTextVariant.Furthest"/>).</param>
/// <param name="Baseline">The baseline, on the same images.</param>
/// <param name="Grid">The timesteps of both.</param>
/// <param name="GuidanceScale">w of both.</param>
public sealed record NullTextReach(NullTextCostRow Furthest, NullTextCostRow Baseline, TimestepGrid Grid, double GuidanceScale)
{
    /// <summary>Distances of the null text's prediction to the exact one, per timestep; see <see cref="NullTextCost.Residuals"/>.</summary>
    /// <param name="row">One of the two rows.</param>
    /// <param name="losses">Which losses of a record.</param>
    public IReadOnlyList<double> Residuals(NullTextCostRow row, Func<NullTextCostRecord, IReadOnlyList<double>> losses)
    {
        ArgumentNullException.ThrowIfNull(row);
        return NullTextCost.Residuals([.. row.Records.Select(losses)], Grid, GuidanceScale);
    }
}
