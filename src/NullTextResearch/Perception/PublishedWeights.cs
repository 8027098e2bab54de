using System.IO.Enumeration;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>Finds and loads the published weights of the networks used by the measures.</summary>
internal static class PublishedWeights
{
    private const int MostNamed = 12;

    /// <summary>Finds the one file in a folder whose name matches.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">The file name without <c>.safetensors</c>; * matches anything.</param>
    /// <param name="what">What the file holds, for error messages.</param>
    /// <exception cref="ModelFormatException">No file or several files match; the message says what was found and what to do.</exception>
    public static string Find(string folder, string pattern, string what)
    {
        string[] names = [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        string[] fits = [.. names.Where(n => Fits(n, pattern) && n.EndsWith(".safetensors", StringComparison.Ordinal))];
        if (fits.Length == 1)
            return Path.Combine(folder, fits[0]);
        if (fits.Length > 1)
            throw new ModelFormatException($"{folder} has several files of {what}: {Named(fits)}. Keep only one, or pass the file itself.");
        if (Array.Find(names, n => Fits(n, pattern) && PickleCheckpoint.IsNamedLikeOne(n)) is { } pickle)
            throw PickleCheckpoint.Refuse(Path.Combine(folder, pickle));
        throw new ModelFormatException(
            $"{folder} lacks {what}: expected a file {pattern}.safetensors, found {(names.Length == 0 ? "nothing" : Named(names))}. Put it there; if it "
                + $"is published as .pth or .bin, {PickleCheckpoint.Conversion}"
        );
    }

    /// <summary>Rejects a missing path and a pickle file.</summary>
    /// <returns>Whether the path is a folder.</returns>
    /// <exception cref="ModelFormatException">The path does not exist, or is a pickle file.</exception>
    public static bool IsFolder(string path, string expected)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            return true;
        if (!File.Exists(path))
            throw new ModelFormatException($"There is no file or folder {path}. Expected: {expected}.");
        return PickleCheckpoint.IsNamedLikeOne(path) ? throw PickleCheckpoint.Refuse(path) : false;
    }

    /// <summary>Loads all weights from a set of files.</summary>
    /// <param name="weights">Declared weights.</param>
    /// <param name="files">The files.</param>
    /// <param name="device">Device of the weights; null means the CPU.</param>
    /// <param name="dtype">Their type.</param>
    /// <param name="sourcesOf">Candidate sources of a key in the files.</param>
    /// <param name="isIgnored">Keys of the files that may remain unused.</param>
    /// <param name="hint">What was expected and what to try, for the error if the files do not match.</param>
    /// <exception cref="CheckpointMismatchException">Keys are missing or have another shape.</exception>
    /// <exception cref="ModelFormatException">A file is damaged.</exception>
    public static void Load(
        WeightSet weights,
        IReadOnlyList<string> files,
        Device? device,
        ScalarType dtype,
        Func<string, IReadOnlyList<KeySource>> sourcesOf,
        Func<string, bool> isIgnored,
        string hint
    )
    {
        using Checkpoint checkpoint = Checkpoint.OpenTogether(files);
        try
        {
            StrictLoad.Load(weights, checkpoint, device ?? CPU, dtype, sourcesOf, isIgnored, null);
        }
        catch (CheckpointMismatchException e)
        {
            throw e.With(hint);
        }
    }

    private static bool Fits(string name, string pattern) => FileSystemName.MatchesSimpleExpression(pattern, Path.GetFileNameWithoutExtension(name));

    private static string Named(string[] names) =>
        string.Join(", ", names.Take(MostNamed).Select(n => Excerpt.Of(n))) + (names.Length > MostNamed ? ", ..." : "");
}
