using System.Text.RegularExpressions;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Loading;

/// <summary>Finds the files of a diffusers-format folder, and explains what is wrong with a folder that is not one.</summary>
internal static class FolderLayout
{
    /// <summary>The parts, each a folder.</summary>
    public static readonly string[] Parts = ["unet", "vae", "text_encoder", "tokenizer", "scheduler"];

    // Folders that other model families have.
    private static readonly (string Part, string What)[] Others =
    [
        ("transformer", "a model with a transformer instead of a U-Net (Stable Diffusion 3, FLUX, PixArt and the like), which is not supported"),
        ("text_encoder_2", "Stable Diffusion XL or another model with two text encoders, which is not supported"),
        ("prior", "a model with a prior (Kandinsky, Wuerstchen, unCLIP), which is not supported"),
        ("movq", "Kandinsky, which is not supported"),
        ("vqvae", "a latent diffusion model with a vector-quantised autoencoder, which is not supported"),
        ("controlnet", "a pipeline with a ControlNet, which is not supported; give the base model's folder"),
    ];

    /// <summary>Rejects a folder that is not Stable Diffusion 1.x or 2.x.</summary>
    /// <exception cref="ModelFormatException">The message says what was found, what was expected and what it may be.</exception>
    public static void Require(string folder)
    {
        foreach ((string part, string what) in Others)
        {
            if (Directory.Exists(Path.Combine(folder, part)))
                throw new ModelFormatException($"{folder} is {what}. It has the parts {List(folder)}; expected: {string.Join(", ", Parts)}.");
        }
        string[] absent = [.. Parts.Where(part => !Directory.Exists(Path.Combine(folder, part)))];
        if (absent.Length == 0)
            return;
        if (absent.Length < Parts.Length)
        {
            throw new ModelFormatException(
                $"{folder} is not a complete diffusers-format model folder: it lacks {string.Join(", ", absent)}. Found: {List(folder)}. Expected: "
                    + $"{string.Join(", ", Parts)}, each a folder; copy or download the missing parts from the same model."
            );
        }
        throw new ModelFormatException($"{folder} is not a diffusers-format model folder: it lacks {string.Join(", ", absent)}. {Guess(folder)}");
    }

    /// <summary>The error for a path where nothing exists.</summary>
    public static ModelFormatException Nothing(string path)
    {
        if (RegularFile.ProblemOf(path) is { } problem && problem != "is missing")
            return new ModelFormatException($"{path} {problem}.");
        string? parent = Path.GetDirectoryName(Path.GetFullPath(path));
        string[] near =
            parent is null || !Directory.Exists(parent)
                ? []
                : [.. Directory.GetDirectories(parent).Where(IsModel).Concat(Directory.GetFiles(parent, "*.safetensors")).Take(8)];
        return new ModelFormatException(
            $"There is no model folder or file {path}.{(near.Length > 0 ? $" Next to it are: {string.Join(", ", near)}." : "")} Expected: a "
                + "diffusers-format folder or a single-file .safetensors checkpoint."
        );
    }

    /// <summary>The weight file (or index) of a part.</summary>
    /// <param name="folder">The part's folder.</param>
    /// <param name="stem">Name of its weight file without endings.</param>
    /// <param name="options">Variant and precision.</param>
    /// <param name="notes">Receives a note if the choice was not the default one.</param>
    /// <exception cref="ModelFormatException">There is no suitable file.</exception>
    public static string Weights(string folder, string stem, ModelLoadOptions options, List<string> notes)
    {
        string part = Path.GetFileName(folder);
        Dictionary<string, string> variants = new(StringComparer.Ordinal);
        string name = Regex.Escape(stem);
        // Both spellings of a variant's index are in use: index.fp16.json and fp16.index.json.
        Regex single = new($@"^{name}(?:\.(?<variant>[A-Za-z0-9_]+))?\.safetensors$"),
            index = new($@"^{name}\.safetensors(?:\.(?<variant>[A-Za-z0-9_]+))?\.index(?:\.(?<variant>[A-Za-z0-9_]+))?\.json$");
        string[] files = [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        foreach (Regex pattern in (Regex[])[single, index])
        {
            foreach (string file in files)
            {
                if (pattern.Match(file) is { Success: true } match)
                    variants.TryAdd(match.Groups["variant"].Value, Path.Combine(folder, file));
            }
        }
        if (variants.Count == 0)
            throw Missing(folder, stem, files);
        string[] there = [.. variants.Keys.Select(v => v.Length == 0 ? "(none)" : v)];
        if (options.Variant is { } asked)
        {
            if (!variants.TryGetValue(asked, out string? exact))
                throw new ModelFormatException(
                    $"{folder} has no weights of the variant '{asked}'; its variants are: {string.Join(", ", there)}. Leave the variant unset to let each "
                        + "part take what it has."
                );
            if (asked.Length > 0)
                notes.Add($"{part}: {Path.GetFileName(exact)}, as requested");
            return exact;
        }
        string? wanted = options.Dtype switch
        {
            ScalarType.Float16 => "fp16",
            ScalarType.BFloat16 => "bf16",
            _ => null,
        };
        string chosen =
            wanted is not null && variants.ContainsKey(wanted)
                ? wanted
                : ((string[])["", "fp32", "fp16", "bf16"]).FirstOrDefault(variants.ContainsKey)
                    ?? (
                        variants.Count == 1
                            ? variants.Keys.First()
                            : throw new ModelFormatException(
                                $"{folder} has weights of several variants, and the choice is ambiguous: {string.Join(", ", there)}. Name one as the "
                                    + "variant."
                            )
                    );
        string path = variants[chosen];
        if (chosen.Length > 0)
            notes.Add(
                $"{part}: {Path.GetFileName(path)}, "
                    + $"{(chosen == wanted ? "the variant of the requested precision" : $"the variant {chosen}, because there is no file without a variant")}"
            );
        return path;
    }

    private static ModelFormatException Missing(string folder, string stem, string[] files)
    {
        string expected = Path.Combine(folder, stem + ".safetensors");
        if (Array.Find(files, PickleCheckpoint.IsNamedLikeOne) is { } pickle)
            return PickleCheckpoint.Refuse(Path.Combine(folder, pickle));
        if (files.Any(f => f.Contains("-of-", StringComparison.Ordinal) && f.EndsWith(".safetensors", StringComparison.Ordinal)))
            return new ModelFormatException($"{folder} contains shards, but not their index {stem}.safetensors.index.json. Download it from the same model.");
        return new ModelFormatException($"Missing file: {expected}. {folder} contains: {(files.Length == 0 ? "nothing" : string.Join(", ", files.Take(12)))}.");
    }

    private static string Guess(string folder)
    {
        if (
            File.Exists(Path.Combine(folder, "config.json"))
            && Path.GetDirectoryName(Path.GetFullPath(folder)) is { } parent
            && Parts.Count(p => Directory.Exists(Path.Combine(parent, p))) >= 2
        )
            return $"It is one part of a model: give its parent folder, {parent}.";
        if (Directory.GetFiles(folder, "*.safetensors") is { Length: > 0 } files)
            return $"It contains single files: give the path of one, such as {files.Order(StringComparer.Ordinal).First()}.";
        if (Directory.GetFiles(folder).FirstOrDefault(PickleCheckpoint.IsNamedLikeOne) is { } pickle)
            return PickleCheckpoint.Refuse(pickle).Message;
        string? below = Directory
            .EnumerateDirectories(
                folder,
                "*",
                new EnumerationOptions
                {
                    RecurseSubdirectories = true,
                    MaxRecursionDepth = 2,
                    IgnoreInaccessible = true,
                }
            )
            .FirstOrDefault(IsModel);
        return below is not null
            ? $"It contains a model folder: give {below}."
            : $"Found: {List(folder)}. Expected: {string.Join(", ", Parts)}, each a folder, or the path of a single-file .safetensors checkpoint.";
    }

    private static bool IsModel(string folder) => Directory.Exists(Path.Combine(folder, "unet")) && Directory.Exists(Path.Combine(folder, "vae"));

    private static string List(string folder)
    {
        string[] names = [.. Directory.GetFileSystemEntries(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        return names.Length == 0 ? "nothing" : string.Join(", ", names.Take(16)) + (names.Length > 16 ? ", ..." : "");
    }
}
