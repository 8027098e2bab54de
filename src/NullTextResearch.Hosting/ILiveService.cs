namespace NullTextResearch.Hosting;

/// <summary>Answers messages of displayed elements until it is disposed.</summary>
public interface ILiveService : IDisposable
{
    /// <summary>
    /// A WebSocket on this machine for pages without their own channel to the kernel; its messages are JSON objects. Null if there is none.
    /// </summary>
    Uri? Address { get; }
}
