namespace NullTextResearch;

/// <summary>Another process writes into a place that only one may write into.</summary>
/// <param name="message">Which place, and what to do.</param>
/// <param name="inner">What the system said.</param>
public sealed class OutputInUseException(string message, Exception? inner = null) : IOException(message, inner);
