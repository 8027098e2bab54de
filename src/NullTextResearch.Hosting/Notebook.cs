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
    // Two that stand in for each other must not do so for ever.
    private const int MostStandIns = 8;

    private static readonly Lock Gate = new();
    private static INotebookHost? _host;
    private static Func<object, object?>[] _standIns = [];

    /// <summary>The kernel this process is, or null: a program, a test, or another vendor's kernel.</summary>
    public static INotebookHost? Host => Volatile.Read(ref _host);

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
        return new Attachment(Interlocked.Exchange(ref _host, host), host);
    }

    /// <summary>
    /// Says what is shown in place of values whose types know nothing of notebooks: a library that draws shows the results
    /// of a library that computes.
    /// </summary>
    /// <param name="standIn">
    /// Given a value, what to show in its place, or null for values it does not know. Called from any thread, for every value that is shown.
    /// </param>
    public static void ShowInstead(Func<object, object?> standIn)
    {
        ArgumentNullException.ThrowIfNull(standIn);
        lock (Gate)
            _standIns = [.. _standIns, standIn];
    }

    /// <summary>
    /// For kernels: what to show in place of a value. What stands in for it may have a stand-in of its own: a picture of another library becomes one
    /// of ours, and that a view.
    /// </summary>
    /// <param name="value">The value that a cell shows.</param>
    /// <returns>What stands in for it; the value itself where nobody knows better.</returns>
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
        // Only the latest host steps back: an older one that ends later must not take a newer one away.
        public void Dispose() => Interlocked.CompareExchange(ref _host, before, mine);
    }
}
