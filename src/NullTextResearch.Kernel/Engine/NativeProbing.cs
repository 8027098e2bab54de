using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// Finds native libraries of referenced assemblies: next to the assembly, in its runtimes folders and in those of NuGet packages. Script hosts look only
/// next to the assembly.
/// </summary>
internal static class NativeProbing
{
    private static readonly ConditionalWeakTable<AssemblyLoadContext, object> Known = [];
    private static readonly List<string> Extra = [];
    private static readonly Lock Gate = new();
    private static bool _on;

    /// <summary>Installs the resolver; further calls do nothing.</summary>
    public static void Start()
    {
        lock (Gate)
        {
            if (_on)
                return;
            _on = true;
        }

        AppDomain.CurrentDomain.AssemblyLoad += (_, e) =>
        {
            AssemblyLoadContext? context = AssemblyLoadContext.GetLoadContext(e.LoadedAssembly);
            if (context is null || context == AssemblyLoadContext.Default || !Known.TryAdd(context, context))
                return;
            context.ResolvingUnmanagedDll += Resolve;
        };
    }

    /// <summary>Adds a folder of native libraries.</summary>
    public static void Add(string folder)
    {
        lock (Gate)
        {
            if (!Extra.Contains(folder))
                Extra.Add(folder);
        }
    }

    private static nint Resolve(Assembly assembly, string name)
    {
        List<string> folders = [];
        if (assembly.Location.Length > 0 && Path.GetDirectoryName(assembly.Location) is { } beside)
        {
            folders.Add(beside);
            foreach (string rid in Rids())
                folders.Add(Path.Combine(beside, "runtimes", rid, "native"));
        }

        lock (Gate)
            folders.AddRange(Extra);
        foreach (string folder in folders)
        {
            foreach (string file in FileNames(name))
            {
                string path = Path.Combine(folder, file);
                if (File.Exists(path) && NativeLibrary.TryLoad(path, out nint handle))
                    return handle;
            }
        }

        return 0;
    }

    /// <summary>This system's runtime identifiers, most specific first.</summary>
    public static IEnumerable<string> Rids()
    {
        string architecture = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        string system =
            OperatingSystem.IsWindows() ? "win"
            : OperatingSystem.IsMacOS() ? "osx"
            : "linux";
        yield return RuntimeInformation.RuntimeIdentifier;
        yield return $"{system}-{architecture}";
        if (!OperatingSystem.IsWindows())
            yield return "unix";
        yield return system;
    }

    private static IEnumerable<string> FileNames(string name)
    {
        yield return name;
        if (OperatingSystem.IsWindows())
            yield return name + ".dll";
        else if (OperatingSystem.IsMacOS())
        {
            yield return $"lib{name}.dylib";
            yield return $"{name}.dylib";
        }
        else
        {
            yield return $"lib{name}.so";
            yield return $"{name}.so";
        }
    }
}
