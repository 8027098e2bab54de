namespace NullTextResearch.Kernel.Engine;

/// <summary>A variable of a session.</summary>
/// <param name="Name">As declared.</param>
/// <param name="Type">Declared type.</param>
/// <param name="Value">Current value.</param>
public sealed record SessionVariable(string Name, Type Type, object? Value);
