using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Installing;
using NullTextResearch.Kernel.Wire;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>A kernel that Jupyter knows: what its kernel.json says.</summary>
/// <param name="Name">Of its folder: python3.</param>
/// <param name="Folder">Holds kernel.json.</param>
/// <param name="DisplayName">For people.</param>
/// <param name="Language">As written there; the kernel itself tells when it runs.</param>
/// <param name="Arguments">Program and arguments, {connection_file} and {resource_dir} not yet replaced.</param>
/// <param name="Environment">Variables to add, ${NAME} not yet replaced.</param>
/// <param name="InterruptsByMessage">True: a message on the control channel; false: SIGINT.</param>
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
    /// <summary>The kernel of a name, in the first of Jupyter's folders that has it.</summary>
    /// <param name="name">As <c>jupyter kernelspec list</c> shows it; upper and lower case are the same.</param>
    /// <exception cref="CellException">There is none, or its kernel.json is damaged: what was found, and what to install.</exception>
    public static JupyterSpec Find(string name) => Find(name, JupyterPaths.Kernels());

    /// <summary>As <see cref="Find(string)"/>, in other folders.</summary>
    public static JupyterSpec Find(string name, IReadOnlyList<string> kernels)
    {
        string[] folders = [.. Folders(kernels)];
        string? folder = folders.FirstOrDefault(f => string.Equals(Path.GetFileName(f), name, StringComparison.OrdinalIgnoreCase));
        if (folder is not null)
            return Read(folder);
        string[] known = [.. folders.Select(f => Path.GetFileName(f)!).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal)];
        string found = known.Length == 0 ? "no kernel at all is installed" : $"installed are: {string.Join(", ", known)}";
        throw new CellException(
            "KernelSpecError",
            $"There is no Jupyter kernel '{name}'; {found}. For Python: apt install python3-ipykernel, or pip install ipykernel; then use --kernel-spec "
                + "python3.",
            [.. kernels.Select(k => $"looked in {k}")]
        );
    }

    /// <summary>The command to start it with.</summary>
    /// <param name="connectionFile">Full path.</param>
    public IReadOnlyList<string> Command(string connectionFile) =>
        [
            .. Arguments.Select(a =>
                a.Replace("{connection_file}", connectionFile, StringComparison.Ordinal).Replace("{resource_dir}", Folder, StringComparison.Ordinal)
            ),
        ];

    /// <summary>A variable's value with ${NAME} replaced from our own environment; what is not set there stays as it is.</summary>
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
                throw new JsonException("its argv does not pass {connection_file} on.");
            Dictionary<string, string> environment = [];
            foreach ((string name, JsonNode? value) in json["env"] as JsonObject ?? [])
                environment[name] = Text(value, "env");
            string mode = json["interrupt_mode"] is { } given ? Text(given, "interrupt_mode") : "signal";
            if (mode is not ("signal" or "message"))
                throw new JsonException($"its interrupt_mode is {StrictJson.Shown(mode)}; signal or message was expected.");
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
        node is JsonValue value && value.TryGetValue(out string? text) ? text : throw new JsonException($"{what} has something that is no text.");

    [GeneratedRegex(@"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Variable();
}
