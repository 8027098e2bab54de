namespace NullTextResearch.Training;

/// <summary>A file of a training run cannot be used.</summary>
/// <param name="message">Which file, why, and what to do.</param>
/// <param name="inner">The underlying error, if any.</param>
public sealed class TrainingFileException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>Whether the file is damaged; otherwise it is intact but belongs to something else.</summary>
    public bool IsDamage { get; init; }
}
