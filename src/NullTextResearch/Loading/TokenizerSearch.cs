using NullTextResearch.Models;
using NullTextResearch.Text;
using NullTextResearch.Weights;

namespace NullTextResearch.Loading;

/// <summary>Finds the vocabulary for a model that comes without one.</summary>
internal static class TokenizerSearch
{
    /// <summary>Environment variable that names a folder with CLIP's vocab.json and merges.txt.</summary>
    public const string Variable = "NULLTEXT_CLIP_TOKENIZER";

    /// <summary>Searches for a vocabulary of the right size.</summary>
    /// <param name="file">The single-file checkpoint.</param>
    /// <param name="vocabSize">Number of tokens of its text encoder.</param>
    /// <returns>A folder with vocab.json and merges.txt.</returns>
    /// <exception cref="ModelFormatException">None was found.</exception>
    public static string For(string file, int vocabSize) =>
        For(file, vocabSize, ModelCache.FromEnvironment().Root, Environment.GetEnvironmentVariable(Variable));

    internal static string For(string file, int vocabSize, string cache, string? named)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!,
            stem = Path.Combine(folder, Path.GetFileNameWithoutExtension(file));
        List<string> beside = [Path.Combine(stem, "tokenizer"), stem, Path.Combine(folder, "tokenizer"), folder];
        if (!string.IsNullOrEmpty(named))
            beside.Add(named);
        List<string> others = [];
        string? found = beside.Concat(Cached(cache)).FirstOrDefault(f => Fits(f, vocabSize, others));
        return found
            ?? throw new ModelFormatException(
                $"{file} contains no tokenizer (single files never do), and none with {vocabSize} tokens was found: not next to it "
                    + $"({Path.Combine(folder, "tokenizer")}), not in ${Variable}, not in "
                    + $"{cache}.{(others.Count > 0 ? $" Found instead: {string.Join("; ", others.Take(3))}." : "")} "
                    + "Put CLIP's vocab.json and merges.txt (repository openai/clip-vit-large-patch14, or the tokenizer folder of any Stable Diffusion "
                    + "1.x or 2.x) into the first of these, or name their folder as the tokenizer."
            );
    }

    /// <summary>The folder that contains the files, for a folder given by the user.</summary>
    /// <exception cref="ModelFormatException">It does not contain them.</exception>
    public static string In(string folder) =>
        Has(folder) ? folder
        : Has(Path.Combine(folder, "tokenizer")) ? Path.Combine(folder, "tokenizer")
        : throw new ModelFormatException(
            $"{folder} was given as the tokenizer, but contains no vocab.json and merges.txt; neither does "
                + $"{Path.Combine(folder, "tokenizer")}"
                + $".{(IsFast(folder) ? $" {Path.Combine(folder, "vocab.json")}: {ClipTokenizer.MissingText(folder)}." : "")}"
        );

    private static bool Has(string folder) => File.Exists(Path.Combine(folder, "vocab.json")) && File.Exists(Path.Combine(folder, "merges.txt"));

    private static bool IsFast(string folder) => File.Exists(Path.Combine(folder, "tokenizer.json"));

    // Another model's vocabulary, or half a download, does not count; it is reported if nothing better is found.
    private static bool Fits(string folder, int vocabSize, List<string> others)
    {
        if (!Has(folder))
        {
            if (IsFast(folder))
                others.Add($"{folder} with only tokenizer.json ({ClipTokenizer.MissingText(folder)})");
            return false;
        }
        try
        {
            int size = ClipTokenizer.Load(folder).VocabularySize;
            if (size != vocabSize)
                others.Add($"{folder} with {size} tokens");
            return size == vocabSize;
        }
        catch (TokenizerFileException e)
        {
            others.Add(e.Message);
            return false;
        }
    }

    // CLIP itself first: the original code fetches its vocabulary from there.
    private static IEnumerable<string> Cached(string cache) =>
        !Directory.Exists(cache)
            ? []
            : from repository in Directory
                .GetDirectories(cache, "models--*")
                .OrderBy(d => Path.GetFileName(d).Contains("clip", StringComparison.OrdinalIgnoreCase) ? 0 : 1)
                .ThenBy(d => d, StringComparer.Ordinal)
            let snapshots = Path.Combine(repository, "snapshots")
            where Directory.Exists(snapshots)
            from snapshot in Directory.GetDirectories(snapshots)
            from folder in (string[])[Path.Combine(snapshot, "tokenizer"), snapshot]
            select folder;
}
