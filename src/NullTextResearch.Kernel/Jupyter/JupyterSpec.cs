using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Installing;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>An installed Jupyter kernel, as described by its kernel.json.</summary>
/// <param name="Name">Name of its folder, such as python3.</param>
/// <param name="Folder">The folder that holds kernel.json.</param>
/// <param name="DisplayName">Name to show to the user.</param>
/// <param name="Language">Language in kernel.json; the running kernel reports its own.</param>
/// <param name="Arguments">Program and arguments, {connection_file} and {resource_dir} not yet replaced.</param>
/// <param name="Environment">Environment variables to add, ${NAME} not yet replaced.</param>
/// <param name="InterruptsByMessage">True: interrupted by a message on the control channel; false: by SIGINT.</param>
internal sealed partial record JupyterSpec(
    string Name,
    string Folder,
    string DisplayName,
    string Language,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    bool InterruptsByMessage
)
{
    /// <summary>Finds a kernel by name, in the first of Jupyter's folders that has it.</summary>
    /// <param name="name">As <c>jupyter kernelspec list</c> shows it; case is ignored.</param>
    /// <exception cref="CellException">
    /// There is no such kernel, or its kernel.json is damaged. The message lists what was found and what to install.
    /// </exception>
    public static JupyterSpec Find(string name) => Find(name, JupyterPaths.Kernels());

    /// <summary>Same as <see cref="Find(string)"/>, in other folders.</summary>
    public static JupyterSpec Find(string name, IReadOnlyList<string> kernels)
    {
        string[] folders = [.. Folders(kernels)];
        string? folder = folders.FirstOrDefault(f => string.Equals(Path.GetFileName(f), name, StringComparison.OrdinalIgnoreCase));
        if (folder is not null)
            return Read(folder);
        string[] known = [.. folders.Select(f => Path.GetFileName(f)!).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)];
        string found = known.Length == 0 ? "no kernels are installed" : $"installed: {string.Join(", ", known)}";
        throw new CellException(
            "KernelSpecError",
            $"There is no Jupyter kernel '{name}'; {found}. For Python: apt install python3-ipykernel, or pip install ipykernel; then use --kernel-spec "
                + "python3.",
            [.. kernels.Select(k => $"looked in {k}")]
        );
    }

    /// <summary>The command that starts the kernel.</summary>
    /// <param name="connectionFile">Full path.</param>
    public IReadOnlyList<string> Command(string connectionFile) =>
        [
            .. Arguments.Select(a =>
                a.Replace("{connection_file}", connectionFile, StringComparison.Ordinal).Replace("{resource_dir}", Folder, StringComparison.Ordinal)
            ),
        ];

    /// <summary>A variable's value with ${NAME} replaced from our own environment; names that are not set there stay unchanged.</summary>
    public static string Expand(string value) => Variable().Replace(value, m => System.Environment.GetEnvironmentVariable(m.Groups[1].Value) ?? m.Value);

    private static IEnumerable<string> Folders(IReadOnlyList<string> kernels) =>
        kernels
            .Where(Directory.Exists)
            .SelectMany(k => Directory.GetDirectories(k).Order(StringComparer.Ordinal))
            .Where(f => File.Exists(Path.Combine(f, "kernel.json")));

    private static JupyterSpec Read(string folder)
    {
        string file = Path.Combine(folder, "kernel.json");
        try
        {
            JsonObject json = StrictJson.Parse(File.ReadAllBytes(file)) as JsonObject ?? throw new JsonException("an object was expected.");
            string[] arguments = [.. (json["argv"] as JsonArray ?? throw new JsonException("it has no argv.")).Select(a => Text(a, "argv"))];
            if (arguments.Length == 0 || !arguments.Any(a => a.Contains("{connection_file}", StringComparison.Ordinal)))
                throw new JsonException("its argv does not contain {connection_file}.");
            Dictionary<string, string> environment = [];
            foreach ((string name, JsonNode? value) in json["env"] as JsonObject ?? [])
                environment[name] = Text(value, "env");
            string mode = json["interrupt_mode"] is { } given ? Text(given, "interrupt_mode") : "signal";
            if (mode is not ("signal" or "message"))
                throw new JsonException($"its interrupt_mode is {StrictJson.Shown(mode)}; expected signal or message.");
            string spec = Path.GetFileName(folder);
            return new JupyterSpec(
                spec,
                folder,
                json["display_name"] is { } shown ? Text(shown, "display_name") : spec,
                json["language"] is { } language ? Text(language, "language") : "",
                arguments,
                environment,
                mode == "message"
            );
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CellException("KernelSpecError", $"{file} cannot be used: {e.Message} Install that kernel again.");
        }
    }

    private static string Text(JsonNode? node, string what) =>
        node is JsonValue value && value.TryGetValue(out string? text) ? text : throw new JsonException($"{what} has a value that is not a string.");

    [GeneratedRegex(@"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Variable();
}
