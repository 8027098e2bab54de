using System.Globalization;

namespace NullTextResearch.Experiments;

/// <summary>Work that experiments have done so far; the total is not known.</summary>
/// <param name="Evaluations">Network evaluations.</param>
/// <param name="Work">The same, but evaluations followed by a backward pass count three times.</param>
public sealed record ExperimentProgress(long Evaluations, double Work) : WorkProgress("experiments")
{
    /// <inheritdoc/>
    public override double Done => Work;

    /// <inheritdoc/>
    public override double Total => 0;

    /// <inheritdoc/>
    public override string Where => string.Create(CultureInfo.InvariantCulture, $"{Evaluations:N0} network evaluations");
}
