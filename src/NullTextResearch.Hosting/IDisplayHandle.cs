namespace NullTextResearch.Hosting;

/// <summary>An output that can be replaced after it was shown.</summary>
public interface IDisplayHandle
{
    /// <summary>Jupyter's display id, unique within the session.</summary>
    string Id { get; }

    /// <summary>
    /// Replaces what is shown. The value is formatted at once. At most ten updates a second are sent; the last one is
    /// always sent before the cell ends.
    /// </summary>
    /// <param name="value">The new value, as for <see cref="INotebookHost.Display"/>.</param>
    void Update(object? value);
}
