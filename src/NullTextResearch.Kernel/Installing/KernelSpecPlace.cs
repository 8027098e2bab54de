namespace NullTextResearch.Kernel.Installing;

/// <summary>Where a kernel was installed.</summary>
/// <param name="Name">What notebooks must name.</param>
/// <param name="Folder">Holds kernel.json.</param>
/// <param name="MenuName">What front ends call it.</param>
/// <param name="Taken">
/// Another kernel that already has the name notebooks use, in words: what it is called, what starts it, where it is. Null where there is none.
/// </param>
public sealed record KernelSpecPlace(string Name, string Folder, string MenuName, string? Taken);
