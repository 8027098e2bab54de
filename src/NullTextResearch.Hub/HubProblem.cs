namespace NullTextResearch.Hub;

/// <summary>Why a download failed.</summary>
public enum HubProblem
{
    /// <summary>The server cannot be reached, or <c>HF_HUB_OFFLINE</c> is set.</summary>
    Offline,

    /// <summary>The server requires authentication (401).</summary>
    Unauthorized,

    /// <summary>The server denies access to this user, usually because the model's terms were not accepted (403).</summary>
    Forbidden,

    /// <summary>No such model, revision or file (404).</summary>
    NotFound,

    /// <summary>Too many requests (429).</summary>
    TooManyRequests,

    /// <summary>The server failed or sent an invalid response.</summary>
    Server,

    /// <summary>The connection broke or stalled repeatedly.</summary>
    Connection,

    /// <summary>The content does not match the server's index.</summary>
    Damaged,

    /// <summary>The kind or format of the model is not supported.</summary>
    Unsuitable,

    /// <summary>The disk is full or too small for the model.</summary>
    DiskFull,

    /// <summary>A setting is invalid.</summary>
    Setting,
}
