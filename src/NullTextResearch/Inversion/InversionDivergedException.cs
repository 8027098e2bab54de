using System.Globalization;
using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>An optimisation produced a loss that is NaN or infinite.</summary>
public sealed class InversionDivergedException : NotFiniteException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="method">Name of the inversion.</param>
    /// <param name="image">Row of the image in its batch.</param>
    /// <param name="step">Loop index of the step, 0 = noisiest.</param>
    /// <param name="timestep">Timestep passed to the network, 0..999.</param>
    /// <param name="recentLosses">Last losses of that image, the bad one last.</param>
    public InversionDivergedException(string method, int image, int step, int timestep, IReadOnlyList<double> recentLosses)
        : base(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{method}: the loss of image {image} became {recentLosses[^1]} at step {step} (timestep {timestep}); its last losses were "
                    + $"{string.Join(", ", recentLosses.Select(x => x.ToString("g4", CultureInfo.InvariantCulture)))}. "
            ) + "Lower the learning rate, run the network in float32, and check that latents and embeddings are finite.",
            image,
            step,
            timestep
        )
    {
        RecentLosses = recentLosses;
    }

    /// <summary>Last losses of that image, the bad one last.</summary>
    public IReadOnlyList<double> RecentLosses { get; }
}
