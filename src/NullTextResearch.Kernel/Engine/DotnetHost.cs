using System.Runtime.InteropServices;

namespace NullTextResearch.Kernel.Engine;

/// <summary>The dotnet executable that runs this process.</summary>
internal static class DotnetHost
{
    /// <summary>Full path, or "dotnet" if it is unknown (in a self-contained program).</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        // .../shared/Microsoft.NETCore.App/10.0.0/
        string path = System.IO.Path.GetFullPath(System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(path) ? path : name;
    }
}
