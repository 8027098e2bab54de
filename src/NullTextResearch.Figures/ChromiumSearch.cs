namespace NullTextResearch.Figures;

/// <summary>Result of a search for a browser.</summary>
/// <param name="Renderer">The browser, or null.</param>
/// <param name="Message">Where it is, or how to get one.</param>
public sealed record ChromiumSearch(ChromiumRenderer? Renderer, string Message);
