using System.Globalization;

namespace NullTextResearch.Hub;

/// <summary>
/// Gives up a connection that brings something again and again, and never enough: one byte a second is no stall, and a model would take years.
/// </summary>
/// <param name="options">The least, and the clock.</param>
internal sealed class RateGuard(HubOptions options)
{
    private long _begun = options.Clock.GetTimestamp();
    private long _bytes;

    /// <summary>Counts what came.</summary>
    /// <exception cref="TransientHubException">It was less than the least, over a whole interval.</exception>
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
                    $"The connection brings {_bytes / elapsed.TotalSeconds:0.#} bytes a second, and at least "
                        + $"{options.LeastBytes / options.RateInterval.TotalSeconds:0} are needed. The server, or the network, is too slow; try again "
                        + $"later, or another mirror in HF_ENDPOINT."
                )
            );
        (_begun, _bytes) = (options.Clock.GetTimestamp(), 0);
    }
}
