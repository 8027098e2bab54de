using System.Globalization;

namespace NullTextResearch.Hub;

/// <summary>
/// Drops a connection that keeps delivering data but too slowly: at one byte per second it never stalls, yet a model would take years.
/// </summary>
/// <param name="options">The minimum rate and the clock.</param>
internal sealed class RateGuard(HubOptions options)
{
    private long _begun = options.Clock.GetTimestamp();
    private long _bytes;

    /// <summary>Counts received bytes.</summary>
    /// <exception cref="TransientHubException">The rate stayed below the minimum over a whole interval.</exception>
    public void Count(int bytes)
    {
        _bytes += bytes;
        TimeSpan elapsed = options.Clock.GetElapsedTime(_begun);
        if (elapsed < options.RateInterval)
            return;
        if (_bytes < options.LeastBytes * (elapsed / options.RateInterval))
            throw new TransientHubException(
                HubProblem.Connection,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The connection delivers {_bytes / elapsed.TotalSeconds:0.#} bytes a second; at least "
                        + $"{options.LeastBytes / options.RateInterval.TotalSeconds:0} are needed. The server or the network is too slow; try again "
                        + $"later, or set another mirror in HF_ENDPOINT."
                )
            );
        (_begun, _bytes) = (options.Clock.GetTimestamp(), 0);
    }
}
