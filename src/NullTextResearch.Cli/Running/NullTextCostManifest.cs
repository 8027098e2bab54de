using System.Text.Encodings.Web;
using System.Text.Json;
using NullTextResearch.Benchmarks;
using NullTextResearch.Experiments;

namespace NullTextResearch.Cli.Running;

/// <summary>What a table of null-text variants was made from.</summary>
internal static class NullTextCostManifest
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The manifest as JSON.</summary>
    /// <param name="command">The command.</param>
    /// <param name="model">Name of the model.</param>
    /// <param name="fingerprint">Hash of its weights.</param>
    /// <param name="settings">T and w.</param>
    /// <param name="rows">What was measured.</param>
    public static string Of(string command, string model, string fingerprint, ExperimentSettings settings, IReadOnlyList<NullTextCostRow> rows) =>
        JsonSerializer.Serialize(
            new
            {
                Command = command,
                Model = model,
                Fingerprint = fingerprint,
                Data = new ToyEditDataset(1).Name,
                settings.Steps,
                settings.GuidanceScale,
                Variants = rows.Select(row => new
                {
                    row.Variant.Name,
                    Images = row.Records.Count,
                    Seconds = Math.Round(row.Records.Sum(r => r.Seconds), 1),
                    row.Variant.Options,
                }),
                Date = DateTimeOffset.UtcNow,
                Report = ThisProgram.Facts,
            },
            Json
        ) + "\n";
}
