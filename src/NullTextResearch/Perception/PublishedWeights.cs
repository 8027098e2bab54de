using System.IO.Enumeration;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>Finds and loads published weights of the networks that measures are made with.</summary>
internal static class PublishedWeights
{
    private const int MostNamed = 12;

    /// <summary>The one file of a folder whose name fits.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">Its name with * for anything, and without the ending <c>.safetensors</c>.</param>
    /// <param name="what">What it holds, for the message.</param>
    /// <exception cref="ModelFormatException">There is none or there are several; the message says what is there and what to do.</exception>
    public static string Find(string folder, string pattern, string what)
    {
        string[] names = [.. Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        string[] fits = [.. names.Where(n => Fits(n, pattern) && n.EndsWith(".safetensors", StringComparison.Ordinal))];
        if (fits.Length == 1)
            return Path.Combine(folder, fits[0]);
        if (fits.Length > 1)
            throw new ModelFormatException($"{folder} has several files of {what}: {Named(fits)}. Keep one there, or give the file itself.");
        if (Array.Find(names, n => Fits(n, pattern) && PickleCheckpoint.IsNamedLikeOne(n)) is { } pickle)
            throw PickleCheckpoint.Refuse(Path.Combine(folder, pickle));
        throw new ModelFormatException(
            $"{folder} lacks {what}: expected a file {pattern}.safetensors, found {(names.Length == 0 ? "nothing" : Named(names))}. Put it there; what is "
                + $"published as .pth or .bin: {PickleCheckpoint.Conversion}"
        );
    }

    /// <summary>Refuses a path where nothing is, and a pickle.</summary>
    /// <returns>Whether it is a folder.</returns>
    /// <exception cref="ModelFormatException">Nothing is there, or a pickle.</exception>
    public static bool IsFolder(string path, string expected)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
            return true;
        if (!File.Exists(path))
            throw new ModelFormatException($"There is no file or folder {path}. Expected: {expected}.");
        return PickleCheckpoint.IsNamedLikeOne(path) ? throw PickleCheckpoint.Refuse(path) : false;
    }

    /// <summary>Loads every weight from files that belong together.</summary>
    /// <param name="weights">Declared weights.</param>
    /// <param name="files">The files.</param>
    /// <param name="device">Where the weights go; null means the CPU.</param>
    /// <param name="dtype">Their type.</param>
    /// <param name="sourcesOf">Places of a key in the files.</param>
    /// <param name="isIgnored">Keys that may be left over.</param>
    /// <param name="hint">What was expected and what to try, where they do not fit.</param>
    /// <exception cref="CheckpointMismatchException">Keys are missing or of another shape.</exception>
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
