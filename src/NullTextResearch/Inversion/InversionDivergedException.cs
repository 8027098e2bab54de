using System.Globalization;

namespace NullTextResearch.Inversion;

/// <summary>An optimisation produced a loss that is NaN or infinite.</summary>
public sealed class InversionDivergedException : Exception
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
            ) + "Lower the learning rate, run the network in float32, and check that latents and embeddings are finite."
        )
    {
        Image = image;
        Step = step;
        Timestep = timestep;
        RecentLosses = recentLosses;
    }

    /// <summary>Row of the image in its batch.</summary>
    public int Image { get; }

    /// <summary>Loop index of the step, 0 = noisiest.</summary>
    public int Step { get; }

    /// <summary>Timestep passed to the network, 0..999.</summary>
    public int Timestep { get; }

    /// <summary>Last losses of that image, the bad one last.</summary>
    public IReadOnlyList<double> RecentLosses { get; }
}
