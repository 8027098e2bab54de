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
