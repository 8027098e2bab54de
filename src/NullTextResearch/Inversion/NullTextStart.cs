namespace NullTextResearch.Inversion;

/// <summary>The embedding with which the optimisation of a timestep begins.</summary>
public enum NullTextStart
{
    /// <summary>
    /// The last timestep's; the noisiest one begins with the embedding that is trained: the empty prompt's for null texts, the prompt's for methods that train
    /// that one. As in the paper.
    /// </summary>
    LastStep,

    /// <summary>
    /// The prompt's, at every timestep, as in negative-prompt inversion (Miyake et al. 2023): both predictions of guidance are then equal, so one is known
    /// without a network call, and guided sampling almost follows the pivot before anything is optimised. What one timestep changes does not burden the next.
    /// </summary>
    Prompt,
}
