namespace NullTextResearch;

/// <summary>What <see cref="Native.EnsureLoaded"/> found.</summary>
/// <param name="Mode">How the libraries were loaded.</param>
/// <param name="Directory">The folder that holds libtorch, or null where none was found.</param>
/// <param name="Detail">One sentence for a person.</param>
public sealed record NativeLoadReport(NativeLoadMode Mode, string? Directory, string Detail);
