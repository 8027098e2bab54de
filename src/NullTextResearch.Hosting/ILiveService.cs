namespace NullTextResearch.Hosting;

/// <summary>Answers shown elements until it is disposed.</summary>
public interface ILiveService : IDisposable
{
    /// <summary>
    /// A WebSocket of this machine for pages that have no channel of their own to the kernel: messages are JSON objects. Null where there is none.
    /// </summary>
    Uri? Address { get; }
}
