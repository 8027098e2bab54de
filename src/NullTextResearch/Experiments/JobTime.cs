using NullTextResearch.Planning;

namespace NullTextResearch.Experiments;

/// <summary>The time of a job at the measured rates, on an otherwise idle machine.</summary>
/// <param name="Fixed">Seconds of one-time work: the program's start, the autoencoder, the edit.</param>
/// <param name="Forward">Seconds per evaluation of the network.</param>
/// <param name="Inner">Seconds per inner step: an evaluation with its backward pass.</param>
/// <param name="Evaluations">Evaluations outside the inner steps.</param>
/// <param name="Steps">DDIM steps.</param>
/// <param name="InnerSteps">Maximum inner steps per DDIM step.</param>
public sealed record JobTime(double Fixed, double Forward, double Inner, int Evaluations, int Steps, int InnerSteps)
{
    // Ratios of measured to planned time of whole jobs, as compared by nulltext's benchmark.
    private const double Early = 0.75,
        Late = 1.25;

    /// <summary>Seconds if no step stops early; settings are compared by this.</summary>
    public double Most => After(Steps * InnerSteps);

    /// <summary>Seconds of a job with a given number of inner steps.</summary>
    /// <param name="inner">Total number of inner steps.</param>
    public double After(double inner) => Fixed + (Evaluations * Forward) + (inner * Inner);

    /// <summary>
    /// From an idle machine where each step stops after its first inner step, to the machine at its current load where none stops early; both include the error
    /// margin of such a plan.
    /// </summary>
    /// <param name="load">How busy the machine is.</param>
    public (double Least, double Most) Range(MachineLoad load) => (After(Steps * Math.Min(1, InnerSteps)) * Early, Most * Late / load.Share);
}
