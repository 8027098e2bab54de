namespace NullTextResearch.Inversion;

/// <summary>A way to invert images.</summary>
public interface IInversion
{
    /// <summary>Name, as in tables and charts.</summary>
    string Name { get; }

    /// <summary>
    /// Everything that its results depend on besides the problem. It is written as JSON into manifests and into the keys of stored results, so two settings of
    /// one method must differ here. A method without options keeps this default.
    /// </summary>
    object Options => new { };

    /// <summary>
    /// Raised when a change of the code changes the numbers of the same options; 0 at first. It is part of the key of every stored result: older results are
    /// then computed anew. That of a path is part of its options.
    /// </summary>
    int Revision => 0;

    /// <summary>Inverts a batch of images.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every inner step; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <exception cref="InversionDivergedException">A loss became NaN or infinite.</exception>
    InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default);
}
