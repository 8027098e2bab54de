namespace NullTextResearch;

/// <summary>A file cannot be read: it is missing, not a file, too large, or not text.</summary>
/// <param name="path">The file.</param>
/// <param name="problem">What is wrong with it and what to do: the rest of a sentence that begins with the path.</param>
/// <param name="inner">The error below, if any.</param>
public sealed class UnreadableFileException(string path, string problem, Exception? inner = null) : IOException($"{path} {problem}.", inner)
{
    /// <summary>The file.</summary>
    public string FilePath { get; } = path;

    /// <summary>What is wrong with it: the rest of a sentence that begins with the path, without the full stop.</summary>
    public string Problem { get; } = problem;
}
