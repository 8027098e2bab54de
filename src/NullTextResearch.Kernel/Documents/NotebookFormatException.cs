namespace NullTextResearch.Kernel.Documents;

/// <summary>A file is not the notebook it should be.</summary>
/// <param name="message">What is wrong, and in which file.</param>
/// <param name="inner">Why, or null.</param>
public sealed class NotebookFormatException(string message, Exception? inner = null) : IOException(message, inner);
