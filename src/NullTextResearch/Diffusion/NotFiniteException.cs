using System.Globalization;

namespace NullTextResearch.Diffusion;

/// <summary>A number that should not be NaN or infinite is.</summary>
public class NotFiniteException : Exception
{
    /// <summary>Creates the exception for a prediction.</summary>
    /// <param name="row">Whose prediction.</param>
    /// <param name="step">Where on the grid.</param>
    public NotFiniteException(BatchRow row, DiffusionStep step)
        : this(Describe(row, step), row.Image, step.Step, step.Timestep) { }

    /// <summary>Creates the exception with a message of its own.</summary>
    /// <param name="message">What is not finite, and what to try.</param>
    /// <param name="image">Which image of the batch.</param>
    /// <param name="step">Index of the step, 0 = noisiest.</param>
    /// <param name="timestep">Timestep passed to the network, 0..999.</param>
    protected NotFiniteException(string message, int image, int step, int timestep)
        : base(message)
    {
        (Image, Step, Timestep) = (image, step, timestep);
    }

    /// <summary>Which image of the batch.</summary>
    public int Image { get; }

    /// <summary>Index of the step, 0 = noisiest.</summary>
    public int Step { get; }

    /// <summary>Timestep passed to the network, 0..999.</summary>
    public int Timestep { get; }

    private static string Describe(BatchRow row, DiffusionStep step)
    {
        string edit = row.IsSource ? "" : string.Create(CultureInfo.InvariantCulture, $", edit {row.Branch}"),
            at = string.Create(CultureInfo.InvariantCulture, $"image {row.Image}{edit} at step {step.Step} (timestep {step.Timestep})");
        return $"The noise prediction for {at} is not finite. Check that the network's weights, the latents and the embeddings are finite, and run the network "
            + "in float32.";
    }
}
