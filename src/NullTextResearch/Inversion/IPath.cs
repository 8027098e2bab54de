namespace NullTextResearch.Inversion;

/// <summary>How clean latents become noise.</summary>
public interface IPath
{
    /// <summary>Name, as in tables and charts.</summary>
    string Name { get; }

    /// <summary>Goes from the images to noise.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="progress">Called after each step; null to disable.</param>
    /// <param name="cancellation">Checked at every step; cancelling leaves no tensors behind.</param>
    /// <returns>The walk, owned by the caller.</returns>
    /// <exception cref="InversionDivergedException">A latent became NaN or infinite.</exception>
    Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default);
}
