namespace NullTextResearch.Hub;

/// <summary>Why a download could not be done.</summary>
public enum HubProblem
{
    /// <summary>The server cannot be reached, or <c>HF_HUB_OFFLINE</c> says not to try.</summary>
    Offline,

    /// <summary>The server wants to know who asks (401).</summary>
    Unauthorized,

    /// <summary>The server knows who asks, and refuses: mostly a model whose terms were not accepted (403).</summary>
    Forbidden,

    /// <summary>No such model, revision or file (404).</summary>
    NotFound,

    /// <summary>Too many requests (429).</summary>
    TooManyRequests,

    /// <summary>The server failed, or sent something that is no answer.</summary>
    Server,

    /// <summary>The connection broke or stalled, again and again.</summary>
    Connection,

    /// <summary>What came is not what the server's index promises.</summary>
    Damaged,

    /// <summary>The model is of a kind, or in a format, that is not used here.</summary>
    Unsuitable,

    /// <summary>The disk is full, or too small for the model.</summary>
    DiskFull,

    /// <summary>A setting cannot be used.</summary>
    Setting,
}

/// <summary>A model could not be looked up or downloaded; the message says what to do.</summary>
public class HubException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="problem">Kind of trouble.</param>
    /// <param name="message">What happened and what to try; never holds a token or a signed address.</param>
    /// <param name="inner">Cause.</param>
    public HubException(HubProblem problem, string message, Exception? inner = null)
        : base(message, inner)
    {
        Problem = problem;
    }

    /// <summary>Kind of trouble.</summary>
    public HubProblem Problem { get; }
}

/// <summary>Trouble that may be over the next time.</summary>
internal sealed class TransientHubException(HubProblem problem, string message, Exception? inner = null) : HubException(problem, message, inner)
{
    /// <summary>How long the server asks to wait; null if it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
