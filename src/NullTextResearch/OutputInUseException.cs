namespace NullTextResearch;

/// <summary>Another process is writing to a place that allows only one writer.</summary>
/// <param name="message">Which place, and what to do.</param>
/// <param name="inner">The system's error.</param>
public sealed class OutputInUseException(string message, Exception? inner = null) : IOException(message, inner);
