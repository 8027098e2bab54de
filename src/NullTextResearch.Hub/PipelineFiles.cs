using System.Text.RegularExpressions;
using NullTextResearch.Models;

namespace NullTextResearch.Hub;

/// <summary>
/// Selects the files of a repository that make up the Stable Diffusion model: configs, tokenizer, and one set of safetensors weights per network.
/// </summary>
internal static partial class PipelineFiles
{
    // Folder of each network and stem of its weight files.
    private static readonly (string Part, string Stem)[] Networks =
    [
        ("unet", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
    ];

    private static readonly string[] Needed = ["model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json", "tokenizer/merges.txt"];

    // Not needed by this library's tokenizer, but read by Python's when it finds the model in the shared cache.
    private static readonly string[] Welcome =
    [
        "tokenizer/tokenizer_config.json",
        "tokenizer/special_tokens_map.json",
        "tokenizer/added_tokens.json",
        "tokenizer/tokenizer.json",
    ];

    private static readonly string[] PickleEndings = [".bin", ".ckpt", ".pt", ".pth"];

    /// <summary>Selects the files.</summary>
    /// <param name="model">Name, for messages.</param>
    /// <param name="files">All files of the repository.</param>
    /// <param name="variant">Requested variant of the weights, such as fp16; null for the default one, which has no name.</param>
    /// <param name="notes">Receives notes for the user about the choice.</param>
    /// <exception cref="HubException">The repository is not such a model, or lacks required files.</exception>
    public static IReadOnlyList<HubFile> Select(ModelName model, IReadOnlyList<HubFile> files, string? variant, List<string> notes)
    {
        Dictionary<string, HubFile> byPath = files.ToDictionary(f => f.Path, StringComparer.Ordinal);
        if (!byPath.ContainsKey("model_index.json"))
        {
            string[] single =
            [
                .. files
                    .Where(f => !f.Path.Contains('/', StringComparison.Ordinal) && f.Path.EndsWith(".safetensors", StringComparison.Ordinal))
                    .Select(f => f.Path),
            ];
            string hint =
                single.Length == 0
                    ? ""
                    : $" It contains {string.Join(", ", single.Take(3))}: look for a repository with the folders unet, vae, text_encoder, tokenizer and "
                        + "scheduler.";
            throw Unsuitable($"{model} is not a model in diffusers format: it has no model_index.json.{hint}");
        }

        string[] foreign = [.. new[] { "text_encoder_2", "transformer", "prior", "controlnet" }.Where(HasFolder)];
        if (foreign.Length > 0)
            throw Unsuitable(
                $"{model} is another kind of model (it has {string.Join(", ", foreign)}): Stable Diffusion 1.x and 2.x are supported, not SDXL, SD 3 "
                    + "and similar models. Nothing was downloaded."
            );
        string[] absent = [.. Needed.Concat(Networks.Select(n => $"{n.Part}/config.json")).Where(p => !byPath.ContainsKey(p))];
        if (absent.Length > 0)
            throw Unsuitable($"{model} cannot be used: it lacks {string.Join(", ", absent)}. Nothing was downloaded.");

        List<HubFile> chosen =
        [
            .. Needed.Concat(Networks.Select(n => $"{n.Part}/config.json")).Select(p => byPath[p]),
            .. Welcome.Where(byPath.ContainsKey).Select(p => byPath[p]),
        ];
        List<string> variants = [];
        bool found = variant is null;
        foreach ((string part, string stem) in Networks)
        {
            ILookup<string, WeightFile> sets = files.Select(f => Parse(f, part, stem)).OfType<WeightFile>().ToLookup(w => w.Variant, StringComparer.Ordinal);
            variants.AddRange(sets.Select(s => s.Key).Where(k => k.Length > 0));
            string set = variant ?? "";
            if (sets.Contains(set))
            {
                found = true;
            }
            else if (variant is not null && sets.Contains(""))
            {
                notes.Add($"{part} has no {variant} weights; using the default ones.");
                set = "";
            }
            else
            {
                throw NoWeights(part, [.. sets.Select(s => s.Key)]);
            }

            chosen.AddRange(Complete(part, [.. sets[set]]));
        }

        // A mistyped variant must not silently download gigabytes of default weights.
        if (!found)
        {
            string there =
                variants.Count > 0
                    ? $"it has {string.Join(", ", variants.Distinct().Order(StringComparer.Ordinal))}"
                    : "it has only the default ones: omit --variant";
            throw Unsuitable($"{model} has no weights of the variant {variant}; {there}. Nothing was downloaded.");
        }

        return chosen;

        bool HasFolder(string part) => files.Any(f => f.Path.StartsWith(part + "/", StringComparison.Ordinal));

        HubException NoWeights(string part, string[] others)
        {
            if (others.Length > 0)
                return Unsuitable(
                    $"{part} of {model} has {(variant is null ? "only" : $"neither {variant} nor default weights, only")} the "
                        + $"variant{(others.Length > 1 ? "s" : "")} {string.Join(", ", others)}: add --variant {others[0]}. Nothing was downloaded."
                );
            HubFile? pickle = files.FirstOrDefault(f =>
                f.Path.StartsWith(part + "/", StringComparison.Ordinal) && PickleEndings.Contains(Path.GetExtension(f.Path))
            );
            return Unsuitable(
                pickle is null
                    ? $"{part} of {model} has no weights. Nothing was downloaded."
                    : $"{part} of {model} has no safetensors weights, only {Path.GetFileName(pickle.Path)}, a pickle: opening one can run code, so it is "
                        + "refused. Another revision may have them (see the model's pull requests, then use --revision refs/pr/N), or convert it in Python "
                        + "with save_pretrained(..., safe_serialization=True). Nothing was downloaded."
            );
        }

        // A single file, or an index with all its shards.
        IEnumerable<HubFile> Complete(string part, IReadOnlyList<WeightFile> set)
        {
            if (set.FirstOrDefault(w => w is { IsIndex: false, Of: 0 }) is { } whole)
                return [whole.File];
            WeightFile[] shards = [.. set.Where(w => !w.IsIndex)];
            if (
                shards.Length == 0
                || !set.Any(w => w.IsIndex)
                || shards.Any(s => s.Of != shards[0].Of)
                || shards.Select(s => s.Number).Distinct().Count() != shards[0].Of
            )
                throw Unsuitable($"The weights of {part} of {model} are in several files, and some are missing on the hub. Nothing was downloaded.");
            return set.Select(w => w.File);
        }
    }

    private static HubException Unsuitable(string message) => new(HubProblem.Unsuitable, message);

    /// <summary>Parses a weight file of a part: its name contains the stem, and optionally variant and shard number in either order.</summary>
    private static WeightFile? Parse(HubFile file, string part, string stem)
    {
        if (!file.Path.StartsWith(part + "/", StringComparison.Ordinal))
            return null;
        string name = file.Path[(part.Length + 1)..];
        Match shard = ShardForm().Match(name);
        if (shard.Success)
            name = name.Remove(shard.Index, shard.Length);
        string[] words = name.Split('.');
        bool index = words[^1] == "json" && words.Contains("index");
        if (words[0] != stem || !words.Contains("safetensors") || (!index && words[^1] != "safetensors") || (index && shard.Success))
            return null;
        string[] rest = [.. words.Skip(1).Where(w => w is not ("safetensors" or "index" or "json"))];
        if (rest.Length > 1)
            return null;
        return new WeightFile(
            file,
            rest is [var variant] ? variant : "",
            index,
            shard.Success ? int.Parse(shard.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : 0,
            shard.Success ? int.Parse(shard.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) : 0
        );
    }

    // [0-9] instead of \d, which matches the digits of every script; int.Parse accepts only ASCII digits.
    [GeneratedRegex(@"-([0-9]{5})-of-([0-9]{5})(?=\.)")]
    private static partial Regex ShardForm();

    private sealed record WeightFile(HubFile File, string Variant, bool IsIndex, int Number, int Of);
}
