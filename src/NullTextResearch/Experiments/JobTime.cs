using NullTextResearch.Planning;

namespace NullTextResearch.Experiments;

/// <summary>The time of a job at the rates measured, on a machine that does nothing else.</summary>
/// <param name="Fixed">Seconds of what happens once: the program's start, the autoencoder, the edit.</param>
/// <param name="Forward">Seconds of an evaluation of the network.</param>
/// <param name="Inner">Seconds of an inner step: an evaluation with its way back.</param>
/// <param name="Evaluations">Evaluations outside the inner steps.</param>
/// <param name="Steps">DDIM steps.</param>
/// <param name="InnerSteps">Inner steps per DDIM step, at most.</param>
public sealed record JobTime(double Fixed, double Forward, double Inner, int Evaluations, int Steps, int InnerSteps)
{
    // What whole jobs took beside the plan's figure for the work that they did, as nulltext's benchmark compares them.
    private const double Early = 0.75,
        Late = 1.25;

    /// <summary>Seconds if no step stops early: what settings are compared by.</summary>
    public double Most => After(Steps * InnerSteps);

    /// <summary>Seconds of a job that made some inner steps.</summary>
    /// <param name="inner">Inner steps in all.</param>
    public double After(double inner) => Fixed + (Evaluations * Forward) + (inner * Inner);

    /// <summary>
    /// From a quiet machine where each step stops after its first inner step, to the machine as busy as it is where none stops early; both with what
    /// such a plan may be off.
    /// </summary>
    /// <param name="load">How busy the machine is.</param>
    public (double Least, double Most) Range(MachineLoad load) => (After(Steps * Math.Min(1, InnerSteps)) * Early, Most * Late / load.Share);
}
