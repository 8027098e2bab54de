namespace NullTextResearch.Hosting;

/// <summary>The services that a kernel offers to a library running in one of its cells. All members may be called from any thread.</summary>
public interface INotebookHost
{
    /// <summary>Name and version of the kernel, for run manifests.</summary>
    string Name { get; }

    /// <summary>
    /// Whether mime types that end in <c>+json</c> reach the front end as JSON. If false they are not offered, because front ends cannot draw a chart
    /// from their text.
    /// </summary>
    bool DeliversJson => true;

    /// <summary>Cancelled when the user stops the running cell.</summary>
    CancellationToken Cancellation { get; }

    /// <summary>Shows a value below the running cell.</summary>
    /// <param name="value">A <see cref="MimeBundle"/>, or any value: the kernel uses its formatter if it has one, otherwise its text.</param>
    /// <param name="mimeTypes">Requested representations; empty for all that the value has.</param>
    /// <returns>A handle that replaces the output.</returns>
    IDisplayHandle Display(object? value, params IReadOnlyList<string> mimeTypes);

    /// <summary>Removes the outputs of the running cell.</summary>
    /// <param name="wait">True: clear only when the next output arrives, which avoids flicker.</param>
    void ClearOutput(bool wait = false);

    /// <summary>Asks the user for a line; blocks until the user answers or the cell is stopped.</summary>
    /// <param name="prompt">Shown before the input field.</param>
    /// <param name="hidden">True for passwords.</param>
    /// <exception cref="InvalidOperationException">The notebook runs unattended: nobody can answer.</exception>
    /// <exception cref="OperationCanceledException">The user stopped the cell.</exception>
    string ReadLine(string prompt, bool hidden = false);

    /// <summary>Answers messages of a displayed element, even after its cell has ended; used by sliders that compute.</summary>
    /// <param name="id">The id that the element sends when it opens its channel.</param>
    /// <param name="answer">Called between cells, on their thread, with the newest message; older messages that are still waiting are dropped.</param>
    /// <returns>Dispose it to stop answering. Null if this host has no channel to its front ends: compute everything beforehand.</returns>
    ILiveService? Serve(string id, LiveAnswer answer) => null;

    /// <summary>Whether an output can still be replaced after its cell has ended; if not, it keeps what the cell last showed.</summary>
    bool UpdatesLater => true;
}
