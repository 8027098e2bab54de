using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Running;

/// <summary>The cell at which a run failed.</summary>
/// <param name="Cell">Its position in the file, from 1, counting prose cells.</param>
/// <param name="Code">Its text.</param>
/// <param name="Error">The error that ended it.</param>
public sealed record NotebookFailure(int Cell, string Code, ErrorOutput Error);
