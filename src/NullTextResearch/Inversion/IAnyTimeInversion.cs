namespace NullTextResearch.Inversion;

/// <summary>An inversion whose intermediate states are results too: one run gives the whole curve over iterations.</summary>
public interface IAnyTimeInversion : IInversion
{
    /// <summary>Inverts a batch of images and reports the state after each of several iteration counts.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="iterations">Counts of gradient steps, in increasing order; 0 is the state before the first step.</param>
    /// <param name="progress">Called as the work proceeds; null to disable.</param>
    /// <param name="cancellation">Checked at every iteration; cancelling leaves no tensors behind.</param>
    /// <returns>One result per count, each equal to that of a run of that length; owned by the caller.</returns>
    /// <exception cref="InversionDivergedException">A loss became NaN or infinite.</exception>
    IReadOnlyList<InversionResult> InvertAnyTime(
        InversionProblem problem,
        IReadOnlyList<int> iterations,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    );
}
