namespace NullTextResearch;

/// <summary>An option of a method, path or editor, as a command line or a table names it.</summary>
/// <param name="Name">Words joined by hyphens; options of a nested record follow a dot, such as <c>adam.beta1</c>.</param>
/// <param name="Value">Its value as text, in the invariant culture.</param>
/// <param name="Kind">What values it takes: <c>number</c>, <c>whole number</c>, <c>true or false</c>, or the names of an enumeration.</param>
public sealed record NamedOption(string Name, string Value, string Kind);
