namespace NullTextResearch.Hosting;

/// <summary>What a kernel offers to a library that runs in one of its cells. All members may be called from any thread.</summary>
public interface INotebookHost
{
    /// <summary>Name and version of the kernel, for run manifests.</summary>
    string Name { get; }

    /// <summary>
    /// Whether mime types that end in <c>+json</c> reach the front end as JSON. As text no front end draws a chart from them, so they are then not
    /// offered.
    /// </summary>
    bool DeliversJson => true;

    /// <summary>Cancelled when the user stops the cell that runs.</summary>
    CancellationToken Cancellation { get; }

    /// <summary>Shows a value below the running cell.</summary>
    /// <param name="value">A <see cref="MimeBundle"/>, or any value: the kernel looks for its formatter, else shows its text.</param>
    /// <param name="mimeTypes">Representations wanted; none means all that the value has.</param>
    /// <returns>A handle with which the output can be replaced.</returns>
    IDisplayHandle Display(object? value, params IReadOnlyList<string> mimeTypes);

    /// <summary>Removes the outputs of the running cell.</summary>
    /// <param name="wait">True: only when the next output comes, which avoids flicker.</param>
    void ClearOutput(bool wait = false);

    /// <summary>Asks the user for a line; blocks until it comes or the cell is stopped.</summary>
    /// <param name="prompt">Shown before the input field.</param>
    /// <param name="hidden">True for passwords.</param>
    /// <exception cref="InvalidOperationException">The notebook runs unattended: nobody can answer.</exception>
    /// <exception cref="OperationCanceledException">The user stopped the cell.</exception>
    string ReadLine(string prompt, bool hidden = false);

    /// <summary>Answers what a shown element asks, also after its cell has ended: a slider that computes.</summary>
    /// <param name="id">What the element names when it opens its channel.</param>
    /// <param name="answer">Called between cells, on the thread that runs them, with the newest message; older ones that were not begun are dropped.</param>
    /// <returns>Dispose it to answer no more. Null where this host has no channel to its front ends: compute beforehand.</returns>
    ILiveService? Serve(string id, LiveAnswer answer) => null;

    /// <summary>Whether an output can still be replaced after its cell has ended; else it shows for ever what the cell left.</summary>
    bool UpdatesLater => true;
}
