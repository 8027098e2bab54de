using System.Text.Json.Nodes;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;

namespace NullTextResearch.TestKit;

/// <summary>Writes a small data set in PIE-Bench's layout, made of toy scenes.</summary>
public static class PieFolder
{
    // The published type that each toy kind belongs to; a re-weighting changes no word, so it has no published counterpart.
    private static readonly Dictionary<string, int> Types = new()
    {
        ["swap"] = 1,
        ["add"] = 2,
        ["remove"] = 3,
        ["colour"] = 6,
        ["background"] = 8,
        ["weather-or-style"] = 9,
    };

    /// <summary>Writes the data set.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="count">Number of toy tasks to draw from; those of re-weighting are left out.</param>
    /// <param name="side">Side of the pictures.</param>
    /// <returns>The toy tasks that were written, by their ids in the new data set, in order.</returns>
    public static IReadOnlyList<(string Id, EditTask Task)> Write(string folder, int count = 14, int side = 32)
    {
        ToyEditDataset toys = new(count, side);
        JsonObject mapping = [];
        List<(string, EditTask)> written = [];
        foreach (EditTask task in toys.Tasks.Where(t => Types.ContainsKey(t.Kind)))
        {
            int type = Types[task.Kind];
            string id = $"{type}{written.Count:D11}",
                path = $"{PieDataset.Kinds[type]}_{count}/{id}.png";
            SceneEditPlan plan = toys.Plan(task);
            ImageFile.SavePng(toys.Picture(task), Path.Combine([folder, "annotation_images", .. path.Split('/')]));
            mapping[id] = new JsonObject
            {
                ["image_path"] = path,
                ["original_prompt"] = Bracketed(plan.SourceCaption, plan.SourceWordIndices),
                ["editing_prompt"] = Bracketed(plan.TargetCaption, plan.TargetWordIndices),
                ["editing_instruction"] = $"Make it {plan.TargetCaption}",
                ["editing_type_id"] = $"{type}",
                ["blended_word"] = string.Join(' ', task.BlendWords),
                ["mask"] = new JsonArray([.. Runs(toys.Mask(task) ?? RegionMask.Everything(side, side)).Select(n => (JsonNode)n)]),
            };
            written.Add((id, task));
        }

        File.WriteAllText(Path.Combine(folder, "mapping_file.json"), mapping.ToJsonString());
        return written;
    }

    /// <summary>A mask as starts and lengths of runs over the flattened picture.</summary>
    public static IReadOnlyList<int> Runs(RegionMask mask)
    {
        List<int> runs = [];
        for (int i = 0, pixels = mask.Width * mask.Height; i < pixels; i++)
        {
            if (!mask[i])
                continue;
            if (i > 0 && mask[i - 1])
                runs[^1]++;
            else
                runs.AddRange([i, 1]);
        }

        return runs;
    }

    private static string Bracketed(string caption, IReadOnlyList<int> words) =>
        string.Join(' ', caption.Split(' ').Select((word, i) => words.Contains(i) ? $"[{word}]" : word));
}
