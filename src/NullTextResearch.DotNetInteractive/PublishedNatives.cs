using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using NullTextResearch.Hosting;

namespace NullTextResearch.DotNetInteractive;

/// <summary>
/// Resolves native libraries of a published folder. For an assembly that a cell references by its path, the kernel searches the assembly's folder
/// but not <c>runtimes/SYSTEM/native</c> below it, where a build for all systems puts them.
/// </summary>
internal static class PublishedNatives
{
    private static readonly string Folder = Path.Combine(
        "runtimes",
        (
            OperatingSystem.IsWindows() ? "win-"
            : OperatingSystem.IsMacOS() ? "osx-"
            : "linux-"
        ) + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
        "native"
    );

    /// <summary>Extends the search to that folder for the assemblies that have native parts.</summary>
    public static void Start()
    {
        Assembly[] ours = [typeof(Notebook).Assembly, typeof(TorchSharp.torch).Assembly, typeof(SkiaSharp.SKImageInfo).Assembly];
        foreach (AssemblyLoadContext context in ours.Select(AssemblyLoadContext.GetLoadContext).OfType<AssemblyLoadContext>().Distinct())
            context.ResolvingUnmanagedDll += Find;
    }

    // Zero if it is not there either; the runtime then reports the error.
    private static nint Find(Assembly asking, string name)
    {
        if (Path.GetDirectoryName(asking.Location) is not { Length: > 0 } beside)
            return 0;
        string ending =
            OperatingSystem.IsWindows() ? ".dll"
            : OperatingSystem.IsMacOS() ? ".dylib"
            : ".so";
        foreach (string file in (string[])[name, name + ending, $"lib{name}{ending}"])
        {
            if (NativeLibrary.TryLoad(Path.Combine(beside, Folder, file), out nint handle))
                return handle;
        }

        return 0;
    }
}
