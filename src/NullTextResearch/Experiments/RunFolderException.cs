namespace NullTextResearch.Experiments;

/// <summary>A run folder is missing something, damaged, or belongs to another run.</summary>
/// <param name="message">What is wrong, and what to do.</param>
/// <param name="inner">The error below, if any.</param>
public sealed class RunFolderException(string message, Exception? inner = null) : Exception(message, inner);
