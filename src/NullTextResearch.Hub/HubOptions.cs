namespace NullTextResearch.Hub;

/// <summary>Which hub to use, with which token, timeouts and retries.</summary>
public sealed record HubOptions
{
    /// <summary>The Hugging Face Hub.</summary>
    public static Uri PublicHub { get; } = new("https://huggingface.co");

    /// <summary>Address of the hub or of a mirror, with a path if it has one (default: <see cref="PublicHub"/>).</summary>
    public Uri Endpoint { get; init; } = PublicHub;

    /// <summary>Sent to the endpoint only; null for anonymous access.</summary>
    public HubToken? Token { get; init; }

    /// <summary>Never use the network.</summary>
    public bool Offline { get; init; }

    /// <summary>Number of simultaneous downloads, at least 1 (default 4).</summary>
    public int Connections { get; init; } = 4;

    /// <summary>Retries of a request after a transient failure (default 5). A retry that makes progress does not count.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>Wait before the first retry; doubles with each retry (default 1 s).</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait accepted from a server; if it asks for more, the download fails (default 5 min).</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A connection that delivers nothing for this long is dropped (default 30 s).</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Minimum that a connection must deliver per <see cref="RateInterval"/>, in bytes (default 60,000, i.e. 1 kB/s); a slower connection is dropped
    /// like a stalled one. 0 for no minimum.
    /// </summary>
    public long LeastBytes { get; init; } = 60_000;

    /// <summary>Interval over which <see cref="LeastBytes"/> are counted (default 1 min).</summary>
    public TimeSpan RateInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Clock for waits and timeouts.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Free space on the disk of a folder, in bytes.</summary>
    internal Func<string, long> FreeSpace { get; init; } = Disk.FreeSpace;

    /// <summary>Creates a link; takes its path, then its target. False if links cannot be created.</summary>
    internal Func<string, string, bool> Link { get; init; } = Disk.TryLink;

    /// <summary>Reads <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c> and <c>HF_HUB_OFFLINE</c>.</summary>
    /// <param name="environment">Reads a variable; null reads the environment of the process.</param>
    /// <exception cref="HubException">A variable has an invalid value.</exception>
    public static HubOptions FromEnvironment(Func<string, string?>? environment = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        HubOptions options = new() { Offline = IsTrue(environment("HF_HUB_OFFLINE")) || IsTrue(environment("TRANSFORMERS_OFFLINE")) };
        if (environment("HF_ENDPOINT")?.Trim() is { Length: > 0 } endpoint)
        {
            // Messages do not repeat the value: it may contain a password.
            if (!Uri.TryCreate(endpoint.TrimEnd('/'), UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
                throw new HubException(
                    HubProblem.Setting,
                    "HF_ENDPOINT is not a web address. Expected something like https://huggingface.co; unset it to use that."
                );
            if (address.UserInfo.Length > 0)
                throw new HubException(HubProblem.Setting, "HF_ENDPOINT contains a user name or password. Remove it; a token goes into HF_TOKEN.");
            if (address.Query.Length > 0 || address.Fragment.Length > 0)
                throw new HubException(
                    HubProblem.Setting,
                    "HF_ENDPOINT contains a query or fragment. Expected only an address and a path, such as https://huggingface.co."
                );
            options = options with { Endpoint = address };
        }

        return environment("HF_TOKEN")?.Trim() is { Length: > 0 } token ? options with { Token = new HubToken(token) } : options;
    }

    private static bool IsTrue(string? value) => value?.Trim().ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";
}
