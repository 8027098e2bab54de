using System.Runtime.InteropServices;

namespace NullTextResearch.SelfTest;

/// <summary>The processor that this program runs on.</summary>
public static class Processor
{
    private static readonly string[] Told = ["vendor_id", "cpu family", "model", "model name", "stepping", "flags"];
    private static readonly Lazy<IReadOnlyDictionary<string, string>> Facts = new(Read);

    /// <summary>Its name as reported by the system, with family and model if known: "AMD EPYC (family 26, model 2)".</summary>
    public static string Name =>
        Facts.Value.GetValueOrDefault("model name") is { } name
            ? Facts.Value.TryGetValue("cpu family", out string? family) && Facts.Value.TryGetValue("model", out string? model)
                ? $"{name} (family {family}, model {model})"
                : name
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER") ?? RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>Everything that determines which kernels a library chooses: name, stepping and instruction sets.</summary>
    public static string Fingerprint =>
        string.Join('\n', [Name, RuntimeInformation.OSDescription.Split(' ')[0], .. Told.Select(t => Facts.Value.GetValueOrDefault(t) ?? "")]);

    private static Dictionary<string, string> Read()
    {
        const string Path = "/proc/cpuinfo";
        Dictionary<string, string> facts = [];
        if (!File.Exists(Path))
            return facts;
        // The first processor represents all: its paragraph ends at an empty line.
        foreach (string line in File.ReadLines(Path).TakeWhile(l => l.Length > 0))
        {
            string[] parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
            if (parts.Length == 2 && Told.Contains(parts[0]))
                facts.TryAdd(parts[0], parts[1]);
        }
        return facts;
    }
}
