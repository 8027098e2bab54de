namespace NullTextResearch.Kernel.Documents;

/// <summary>A file is not a valid notebook.</summary>
/// <param name="message">What is wrong, and in which file.</param>
/// <param name="inner">The cause, or null if there is none.</param>
public sealed class NotebookFormatException(string message, Exception? inner = null) : IOException(message, inner);
