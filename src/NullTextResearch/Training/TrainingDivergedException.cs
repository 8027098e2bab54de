using System.Globalization;

namespace NullTextResearch.Training;

/// <summary>The loss of a step is NaN or infinite. Training stops, and the last checkpoint stays unchanged.</summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(string stage, long step, IEnumerable<double> recent)
        : base(
            $"{stage}: the loss or its gradient became NaN or infinite at step {step}; recent losses: "
                + string.Join(", ", recent.Select(l => l.ToString("G4", CultureInfo.InvariantCulture)))
                + ". Lower the learning rate, or continue from the last checkpoint with another seed."
        ) { }
}
