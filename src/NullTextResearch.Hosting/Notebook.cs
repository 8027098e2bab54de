namespace NullTextResearch.Hosting;

/// <summary>
/// Where a library finds the notebook it runs in, without knowing any kernel. Nothing here depends on anything: a kernel
/// attaches itself when it starts, a library asks <see cref="Host"/> and falls back to other means where it is null.
/// </summary>
/// <example>
/// <code>
/// Notebook.Cancellation.ThrowIfCancellationRequested();         // in every step of a long loop: the stop button
/// IDisplayHandle? bar = Notebook.Host?.Display("step 0 of 50"); // null outside a notebook
/// bar?.Update("step 1 of 50");                                  // as often as you like, from any thread
/// </code>
/// </example>
public static class Notebook
{
    private static INotebookHost? s_host;

    /// <summary>The kernel this process is, or null: a program, a test, or another vendor's kernel.</summary>
    public static INotebookHost? Host => Volatile.Read(ref s_host);

    /// <summary>
    /// Cancelled when the user stops the running cell; never cancelled outside a notebook. Reading it tells the kernel
    /// that the cell will end by itself, so it waits two seconds before it ends the cell by force.
    /// </summary>
    public static CancellationToken Cancellation => Host?.Cancellation ?? CancellationToken.None;

    /// <summary>Called by a kernel when it starts.</summary>
    /// <param name="host">The kernel.</param>
    /// <returns>Dispose it to detach the kernel again; what was attached before returns.</returns>
    public static IDisposable Attach(INotebookHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return new Attachment(Interlocked.Exchange(ref s_host, host), host);
    }

    private sealed class Attachment(INotebookHost? before, INotebookHost mine) : IDisposable
    {
        // Only the latest host steps back: an older one that ends later must not take a newer one away.
        public void Dispose() => Interlocked.CompareExchange(ref s_host, before, mine);
    }
}
