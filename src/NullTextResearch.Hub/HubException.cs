namespace NullTextResearch.Hub;

/// <summary>A model could not be looked up or downloaded; the message says what to do.</summary>
public class HubException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="problem">Kind of problem.</param>
    /// <param name="message">What happened and what to try; never contains a token or a signed address.</param>
    /// <param name="inner">Cause.</param>
    public HubException(HubProblem problem, string message, Exception? inner = null)
        : base(message, inner)
    {
        Problem = problem;
    }

    /// <summary>Kind of problem.</summary>
    public HubProblem Problem { get; }
}

/// <summary>A problem that may be gone at the next attempt.</summary>
internal sealed class TransientHubException(HubProblem problem, string message, Exception? inner = null) : HubException(problem, message, inner)
{
    /// <summary>How long the server asks to wait; null if it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
