using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NullTextResearch.Benchmarks;

namespace NullTextResearch.Cli.Running;

/// <summary>What the tables of a study were made from: options, data, models, versions, devices, times.</summary>
internal static class StudyManifest
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The manifest as JSON.</summary>
    /// <param name="benchmark">Name of the benchmark.</param>
    /// <param name="study">The study.</param>
    /// <param name="merged">Its results.</param>
    /// <param name="judge">What judges success; null if nothing does.</param>
    public static string Of(string benchmark, Study study, StudyMerge merged, string? judge = null)
    {
        UnitRecord[] done = [.. DoneRows(merged).Select(r => r.Record!)];
        return JsonSerializer.Serialize(
                new
                {
                    Benchmark = benchmark,
                    Study = JsonSerializer.Deserialize<JsonElement>(study.Plan.ToJson()),
                    Data = study.Data.Select(d => new
                    {
                        d.Name,
                        Tasks = d.Tasks.Count,
                        d.Fingerprint,
                    }),
                    Models = study.Models.Select(m => new { m.Name, m.Identity }),
                    Judge = judge,
                    Units = new
                    {
                        merged.Done,
                        merged.Refused,
                        Failed = merged.Failed.Count,
                        Missing = merged.Missing.Count,
                    },
                    Devices = done.Select(r => r.Device).Distinct(),
                    Programs = done.Select(r => r.Program).Distinct(),
                    Seconds = Seconds(merged),
                    From = done.Length == 0 ? (DateTimeOffset?)null : done.Min(r => r.Finished),
                    To = done.Length == 0 ? (DateTimeOffset?)null : done.Max(r => r.Finished),
                    Report = ThisProgram.Facts,
                },
                Json
            ) + "\n";
    }

    /// <summary>Seconds of all edits and of every inversion once.</summary>
    public static double Seconds(StudyMerge merged) =>
        DoneRows(merged).Sum(r => r.Record!.EditSeconds) + DoneRows(merged).DistinctBy(r => r.Unit.InversionKey.Hash).Sum(r => r.Record!.Seconds);

    private static IEnumerable<StudyRow> DoneRows(StudyMerge merged) => merged.Rows.Where(r => r.Status == UnitStatus.Done);
}
