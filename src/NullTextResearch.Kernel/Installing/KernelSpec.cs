using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Installing;

/// <summary>Installs, removes and finds Jupyter's kernel.json.</summary>
public static class KernelSpec
{
    /// <summary>The kernel name in C# notebooks.</summary>
    public const string StandardName = ".net-csharp";

    /// <summary>Our name if another kernel has the standard one.</summary>
    public const string OtherName = "nulltext-csharp";

    // If another kernel has the usual name, the menu entries must differ.
    private const string MenuName = ".NET (C#)";
    private const string OtherMenuName = ".NET (C#, NullTextResearch)";

    // Marks a folder as ours.
    private const string Mark = "nulltext";

    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Installs the kernel for this user. Never replaces another program's kernel.</summary>
    /// <param name="program">Full path of the program that runs <c>kernel FILE</c>: a .dll or an executable.</param>
    /// <param name="name">Name to use; null: the standard one if it is free or ours, else <see cref="OtherName"/>.</param>
    /// <exception cref="ArgumentException">The name belongs to another program's kernel, or is not a valid kernel name.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static KernelSpecPlace Install(string program, string? name = null)
    {
        string? taken = Foreign(StandardName);
        string chosen = name ?? (taken is null ? StandardName : OtherName);
        if (chosen.Length == 0 || !chosen.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new ArgumentException($"'{chosen}' is not a valid kernel name; use letters, digits, '.', '-' and '_'.", nameof(name));
        if (Foreign(chosen) is { } foreign)
            throw new ArgumentException(
                $"The kernel '{chosen}' belongs to another program and was not changed: {Describe(foreign)}. Choose another name with --name.",
                nameof(name)
            );
        string folder = Path.Combine(JupyterPaths.UserData(), "kernels", chosen);
        string menuName = chosen == StandardName ? MenuName : OtherMenuName;
        Write(folder, program, menuName);
        return new KernelSpecPlace(chosen, folder, menuName, chosen == StandardName || taken is null ? null : Describe(taken));
    }

    /// <summary>Removes our kernels from this user's folder.</summary>
    /// <param name="name">Name of the kernel to remove; null: all of ours.</param>
    /// <returns>The folders removed.</returns>
    /// <exception cref="ArgumentException">The named kernel belongs to another program.</exception>
    public static IReadOnlyList<string> Uninstall(string? name = null)
    {
        string kernels = Path.Combine(JupyterPaths.UserData(), "kernels");
        if (!Directory.Exists(kernels))
            return [];
        List<string> removed = [];
        foreach (string folder in Directory.GetDirectories(kernels))
        {
            if (name is not null && Path.GetFileName(folder) != name)
                continue;
            if (!IsOurs(folder))
            {
                if (name is not null)
                    throw new ArgumentException($"The kernel '{name}' in {folder} belongs to another program and was not removed.", nameof(name));
                continue;
            }

            Directory.Delete(folder, recursive: true);
            removed.Add(folder);
        }

        return removed;
    }

    /// <summary>Writes a kernel.json that starts a program.</summary>
    /// <param name="folder">Created if it is missing.</param>
    /// <param name="program">Full path of a .dll or an executable.</param>
    /// <param name="menuName">Name that front ends show; null: the usual one.</param>
    public static void Write(string folder, string program, string? menuName = null)
    {
        JsonArray argv = [];
        if (program.EndsWith(".dll", StringComparison.OrdinalIgnoreCase))
            argv.Add(DotnetHost.Path);
        argv.Add(Path.GetFullPath(program));
        argv.Add("kernel");
        argv.Add("{connection_file}");
        JsonObject spec = new()
        {
            ["argv"] = argv,
            ["display_name"] = menuName ?? MenuName,
            ["language"] = "C#",
            // The server then interrupts by a message, which works on every system.
            ["interrupt_mode"] = "message",
            ["metadata"] = new JsonObject { [Mark] = true, ["debugger"] = false },
        };
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "kernel.json"), spec.ToJsonString(Layout) + "\n");
        File.WriteAllText(
            Path.Combine(folder, "logo-svg.svg"),
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="12" fill="#3b2f6b"/><path d="M14 46V18l22 28V18" fill="none" stroke="#fff" stroke-width="6" stroke-linejoin="round" stroke-linecap="round"/><circle cx="49" cy="43" r="5" fill="#f2b544"/></svg>

            """
        );
    }

    /// <summary>The folder of a kernel with this name that is not ours, or null if there is none.</summary>
    public static string? Foreign(string name) =>
        JupyterPaths.Kernels().Select(k => Path.Combine(k, name)).FirstOrDefault(f => File.Exists(Path.Combine(f, "kernel.json")) && !IsOurs(f));

    /// <summary>The folder of one of our kernels, or null if none is installed.</summary>
    public static string? Installed() => JupyterPaths.Kernels().Where(Directory.Exists).SelectMany(Directory.GetDirectories).FirstOrDefault(IsOurs);

    // Describes another program's kernel so that the user can recognise it.
    private static string Describe(string folder)
    {
        string words = "a kernel.json that cannot be read";
        try
        {
            if (JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "kernel.json"))) is JsonObject spec)
                words = $"'{spec["display_name"]}', started by '{string.Join(' ', (spec["argv"] as JsonArray ?? []).Take(2))}'";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            // The default text above is enough: the kernel is left unchanged anyway.
            _ = e;
        }

        return $"{words}, in {folder}";
    }

    private static bool IsOurs(string folder)
    {
        string file = Path.Combine(folder, "kernel.json");
        if (!File.Exists(file))
            return false;
        try
        {
            return JsonNode.Parse(File.ReadAllText(file))?["metadata"]?[Mark] is JsonValue mark && mark.TryGetValue(out bool ours) && ours;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // A broken file is not ours to touch.
            return false;
        }
    }
}
