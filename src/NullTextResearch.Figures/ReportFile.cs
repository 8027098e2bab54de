namespace NullTextResearch.Figures;

/// <summary>A link from a report to a file next to it.</summary>
/// <param name="Name">Text of the link.</param>
/// <param name="RelativePath">Path from the page to the file, with <c>/</c>.</param>
public sealed record ReportFile(string Name, string RelativePath);
