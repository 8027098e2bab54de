namespace NullTextResearch.Kernel.Installing;

/// <summary>Where a kernel was installed.</summary>
/// <param name="Name">The kernel name that notebooks must use.</param>
/// <param name="Folder">The folder that holds kernel.json.</param>
/// <param name="MenuName">Name that front ends show.</param>
/// <param name="Taken">
/// Description of another kernel that already has the standard name: its display name, the command that starts it, its folder. Null if there is none.
/// </param>
public sealed record KernelSpecPlace(string Name, string Folder, string MenuName, string? Taken);
