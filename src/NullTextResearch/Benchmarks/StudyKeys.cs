using System.Text.Json;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;

namespace NullTextResearch.Benchmarks;

/// <summary>Keys of a study's results: everything that determines them.</summary>
internal static class StudyKeys
{
    /// <summary>Incremented by hand when what a unit computes changes; methods, paths and editors have revisions of their own.</summary>
    public const int Version = 1;

    /// <summary>The key of an inversion.</summary>
    /// <param name="task">The picture's hash and prompt.</param>
    /// <param name="identity">Identity of the model.</param>
    /// <param name="inversion">The method; null where it cannot be combined with its path.</param>
    /// <param name="method">Its name, for those that cannot.</param>
    /// <param name="steps">T.</param>
    /// <param name="guidance">w.</param>
    /// <param name="size">How the picture's size is chosen.</param>
    public static ResultKey OfInversion(
        (string PictureHash, string Prompt) task,
        string identity,
        IInversion? inversion,
        string method,
        int steps,
        double guidance,
        string size
    ) =>
        new(
            "inversion",
            task.PictureHash,
            task.Prompt,
            identity,
            JsonSerializer.Serialize(
                new
                {
                    Study = Version,
                    Method = inversion?.Name ?? method,
                    Revision = inversion?.Revision ?? 0,
                    Options = inversion is null ? default(JsonElement?) : RunFolder.ToJson(inversion.Options),
                    Steps = steps,
                    Guidance = guidance,
                    Size = size,
                },
                ResultCache.Json
            ),
            ExperimentLab.AlgorithmVersion
        );

    /// <summary>The key of a unit.</summary>
    /// <param name="inversion">The key of its inversion.</param>
    /// <param name="editor">The editor's options, with their revision.</param>
    /// <param name="task">The task.</param>
    /// <param name="regions">Hash of mask and truth.</param>
    /// <param name="settings">What the study sets of prompt-to-prompt; null for the defaults.</param>
    public static ResultKey OfUnit(ResultKey inversion, EditorOptions editor, EditTask task, string regions, StudyEditSettings? settings = null)
    {
        object edit = new
        {
            Inversion = JsonElement.Parse(inversion.OptionsJson),
            Editor = RunFolder.ToJson(editor),
            Target = task.TargetPrompt,
            Blend = task.BlendWords,
            // A dictionary's order is nobody's promise.
            Weights = task.Weights.OrderBy(w => w.Key, StringComparer.Ordinal).Select(w => new { Word = w.Key, Factor = w.Value }),
            Regions = regions,
        };
        return inversion with
        {
            Experiment = "edit",
            OptionsJson = JsonSerializer.Serialize(
                settings is { IsDefault: false }
                    ? new
                    {
                        Edit = edit,
                        Settings = settings,
                        Words = settings.Words(task),
                    }
                    : edit,
                ResultCache.Json
            ),
        };
    }

    /// <summary>How two keys differ, in words.</summary>
    public static string Difference(ResultKey one, ResultKey other)
    {
        List<string> parts = [];
        if (one.ModelFingerprint != other.ModelFingerprint)
            parts.Add("the model's weights or settings");
        if (one.AlgorithmVersion != other.AlgorithmVersion)
            parts.Add("the version of the algorithms");
        if (one.ImageHash != other.ImageHash)
            parts.Add("the picture");
        if (one.Prompt != other.Prompt)
            parts.Add("the prompt");
        if (one.OptionsJson != other.OptionsJson)
            parts.AddRange(
                Members(JsonElement.Parse(one.OptionsJson), JsonElement.Parse(other.OptionsJson), "").Select(m => $"'{m}'").DefaultIfEmpty("options")
            );
        return string.Join(", ", parts);
    }

    private static IEnumerable<string> Members(JsonElement one, JsonElement other, string path)
    {
        if (one.ValueKind != JsonValueKind.Object || other.ValueKind != JsonValueKind.Object)
            return one.GetRawText() == other.GetRawText() ? [] : [path];
        string[] names = [.. one.EnumerateObject().Concat(other.EnumerateObject()).Select(m => m.Name).Distinct()];
        return names.SelectMany(name =>
            one.TryGetProperty(name, out JsonElement a) && other.TryGetProperty(name, out JsonElement b)
                ? Members(a, b, path.Length == 0 ? name : $"{path}.{name}")
                : [path.Length == 0 ? name : $"{path}.{name}"]
        );
    }
}
