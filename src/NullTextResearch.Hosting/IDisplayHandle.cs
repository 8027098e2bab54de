namespace NullTextResearch.Hosting;

/// <summary>An output that can be replaced after it was shown.</summary>
public interface IDisplayHandle
{
    /// <summary>Jupyter's display id: unique in the session.</summary>
    string Id { get; }

    /// <summary>
    /// Replaces what is shown. The value is formatted at once; at most ten updates a second are sent, and the last one
    /// always is, before the cell ends.
    /// </summary>
    /// <param name="value">As for <see cref="INotebookHost.Display"/>.</param>
    void Update(object? value);
}
