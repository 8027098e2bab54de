namespace NullTextResearch.Hub;

/// <summary>Which hub, as whom, and how patiently.</summary>
public sealed record HubOptions
{
    /// <summary>The hub of Hugging Face.</summary>
    public static Uri PublicHub { get; } = new("https://huggingface.co");

    /// <summary>Address of the hub or of a mirror, with a path if it has one (default: <see cref="PublicHub"/>).</summary>
    public Uri Endpoint { get; init; } = PublicHub;

    /// <summary>Sent to the endpoint and to nobody else; null for none.</summary>
    public HubToken? Token { get; init; }

    /// <summary>Never use the network.</summary>
    public bool Offline { get; init; }

    /// <summary>Files that are fetched at the same time, at least 1 (default 4).</summary>
    public int Connections { get; init; } = 4;

    /// <summary>How often a request is repeated that failed for a reason that may pass (default 5). A repeat that gets further does not count.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>Wait before the first repeat; it doubles from one to the next (default 1 s).</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait that a server may ask for; a longer one ends the download (default 5 min).</summary>
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A connection that brings nothing for so long is given up (default 30 s).</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Least that a connection must bring in each <see cref="RateInterval"/>, in bytes (default 60,000, that is 1 kB/s); a slower one is given up as
    /// a stalled one is. 0 for any.
    /// </summary>
    public long LeastBytes { get; init; } = 60_000;

    /// <summary>Over how long <see cref="LeastBytes"/> are counted (default 1 min).</summary>
    public TimeSpan RateInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Clock of waits and timeouts.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Space that is free where a folder lies, in bytes.</summary>
    internal Func<string, long> FreeSpace { get; init; } = Disk.FreeSpace;

    /// <summary>Makes a link, its path before what it leads to; false where links cannot be made.</summary>
    internal Func<string, string, bool> Link { get; init; } = Disk.TryLink;

    /// <summary>Reads <c>HF_ENDPOINT</c>, <c>HF_TOKEN</c> and <c>HF_HUB_OFFLINE</c>.</summary>
    /// <param name="environment">Reads a variable; null reads those of the process.</param>
    /// <exception cref="HubException">A variable cannot be used.</exception>
    public static HubOptions FromEnvironment(Func<string, string?>? environment = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        HubOptions options = new() { Offline = IsTrue(environment("HF_HUB_OFFLINE")) || IsTrue(environment("TRANSFORMERS_OFFLINE")) };
        if (environment("HF_ENDPOINT")?.Trim() is { Length: > 0 } endpoint)
        {
            // The value is not repeated where it may hold a password.
            if (!Uri.TryCreate(endpoint.TrimEnd('/'), UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
                throw new HubException(
                    HubProblem.Setting,
                    "HF_ENDPOINT is no web address. Expected something like https://huggingface.co; unset it to use that."
                );
            if (address.UserInfo.Length > 0)
                throw new HubException(HubProblem.Setting, "HF_ENDPOINT holds a name or password. Take it out; a token goes into HF_TOKEN.");
            if (address.Query.Length > 0 || address.Fragment.Length > 0)
                throw new HubException(
                    HubProblem.Setting,
                    "HF_ENDPOINT holds more than an address and a path. Expected something like https://huggingface.co."
                );
            options = options with { Endpoint = address };
        }

        return environment("HF_TOKEN")?.Trim() is { Length: > 0 } token ? options with { Token = new HubToken(token) } : options;
    }

    private static bool IsTrue(string? value) => value?.Trim().ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";
}
