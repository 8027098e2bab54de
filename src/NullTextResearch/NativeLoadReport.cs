namespace NullTextResearch;

/// <summary>What <see cref="Native.EnsureLoaded"/> found.</summary>
/// <param name="Mode">How the libraries were loaded.</param>
/// <param name="Directory">The folder that holds libtorch, or null if none was found.</param>
/// <param name="Detail">One human-readable sentence.</param>
public sealed record NativeLoadReport(NativeLoadMode Mode, string? Directory, string Detail);
