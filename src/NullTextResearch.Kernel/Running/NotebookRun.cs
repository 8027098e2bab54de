using NullTextResearch.Kernel.Documents;

namespace NullTextResearch.Kernel.Running;

/// <summary>Result of running a notebook from top to bottom.</summary>
/// <param name="Document">The notebook with its outputs; cells after a failed one have none.</param>
/// <param name="Failure">Why the run ended early, or null if it did not.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record NotebookRun(NotebookDocument Document, NotebookFailure? Failure, TimeSpan Elapsed);
