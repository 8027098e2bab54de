namespace NullTextResearch.Inversion;

/// <summary>How a pivotal optimisation changes its embedding.</summary>
public enum NullTextOptimiser
{
    /// <summary>Adam, created anew at every timestep, as in the released code.</summary>
    Adam,

    /// <summary>
    /// Steps along the negative gradient whose length is the minimum of the linearised loss, known in closed form from one further evaluation. A timestep whose
    /// loss is below the threshold is left unchanged, and a step is kept only if it lowers the loss: no timestep ends above the loss it began with.
    /// </summary>
    LineSearch,
}
