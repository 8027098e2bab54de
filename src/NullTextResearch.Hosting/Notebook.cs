namespace NullTextResearch.Hosting;

/// <summary>
/// Gives a library access to the notebook it runs in, whatever the kernel. This assembly has no dependencies: a kernel
/// attaches itself when it starts; a library reads <see cref="Host"/> and falls back to other means if it is null.
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
    // Two values that stand in for each other must not loop forever.
    private const int MostStandIns = 8;

    private static readonly Lock Gate = new();
    private static INotebookHost? _host;
    private static Func<object, object?>[] _standIns = [];

    /// <summary>The kernel of this process; null in a program, a test, or another vendor's kernel.</summary>
    public static INotebookHost? Host => Volatile.Read(ref _host);

    /// <summary>
    /// Cancelled when the user stops the running cell; never cancelled outside a notebook. Reading it tells the kernel
    /// that the cell handles cancellation, so the kernel waits two seconds before it terminates the cell.
    /// </summary>
    public static CancellationToken Cancellation => Host?.Cancellation ?? CancellationToken.None;

    /// <summary>Called by a kernel when it starts.</summary>
    /// <param name="host">The kernel.</param>
    /// <returns>Dispose it to detach the kernel; the previously attached host is restored.</returns>
    public static IDisposable Attach(INotebookHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return new Attachment(Interlocked.Exchange(ref _host, host), host);
    }

    /// <summary>
    /// Registers what is shown instead of values whose types know nothing of notebooks. This lets a drawing library show
    /// the results of a computing library.
    /// </summary>
    /// <param name="standIn">
    /// Returns what to show instead of a value, or null for values it does not know. Called from any thread, for every displayed value.
    /// </param>
    public static void ShowInstead(Func<object, object?> standIn)
    {
        ArgumentNullException.ThrowIfNull(standIn);
        lock (Gate)
            _standIns = [.. _standIns, standIn];
    }

    /// <summary>
    /// For kernels: what to show instead of a value. A stand-in may itself have a stand-in: another library's image becomes an image of this library,
    /// which becomes a view.
    /// </summary>
    /// <param name="value">The value that a cell displays.</param>
    /// <returns>The stand-in; the value itself if there is none.</returns>
    public static object? StandIn(object? value)
    {
        for (int i = 0; i < MostStandIns && value is not null; i++)
        {
            if (Volatile.Read(ref _standIns).Select(s => s(value)).FirstOrDefault(s => s is not null) is not { } standIn)
                break;
            value = standIn;
        }

        return value;
    }

    private sealed class Attachment(INotebookHost? before, INotebookHost mine) : IDisposable
    {
        // Only the current host is removed: an older host that is disposed later must not remove a newer one.
        public void Dispose() => Interlocked.CompareExchange(ref _host, before, mine);
    }
}
