using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Running;

/// <summary>The cell at which a run ended.</summary>
/// <param name="Cell">Its place in the file, from 1, prose counted.</param>
/// <param name="Code">Its text.</param>
/// <param name="Error">What it ended with.</param>
public sealed record NotebookFailure(int Cell, string Code, ErrorOutput Error);
