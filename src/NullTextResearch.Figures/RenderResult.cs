namespace NullTextResearch.Figures;

/// <summary>Result of rendering a page or chart.</summary>
/// <param name="Rendered">Whether the file was written.</param>
/// <param name="Message">The file's path, or why there is none and what to do.</param>
public sealed record RenderResult(bool Rendered, string Message);
