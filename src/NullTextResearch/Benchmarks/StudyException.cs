namespace NullTextResearch.Benchmarks;

/// <summary>A study's file, its data, or its results cannot be used.</summary>
/// <param name="message">What is wrong, where, and what to do.</param>
/// <param name="inner">The error below, if any.</param>
public sealed class StudyException(string message, Exception? inner = null) : Exception(message, inner);
