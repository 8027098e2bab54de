namespace NullTextResearch.Weights;

/// <summary>A checkpoint does not fit a network.</summary>
public sealed class CheckpointMismatchException : Exception
{
    private readonly string _file;

    internal CheckpointMismatchException(
        string file,
        IReadOnlyList<string> missing,
        IReadOnlyList<string> extra,
        IReadOnlyList<string> misshaped,
        string? hint = null
    )
        : base(Text(file, missing, extra, misshaped, hint))
    {
        _file = file;
        Missing = missing;
        Extra = extra;
        Misshaped = misshaped;
    }

    /// <summary>Keys that the network needs and the file lacks.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Keys in the file that the network does not know.</summary>
    public IReadOnlyList<string> Extra { get; }

    /// <summary>Keys whose shapes differ, with both shapes.</summary>
    public IReadOnlyList<string> Misshaped { get; }

    /// <summary>The same error, with a sentence on what the file may be instead.</summary>
    internal CheckpointMismatchException With(string hint) => new(_file, Missing, Extra, Misshaped, hint);

    private static string Text(string file, IReadOnlyList<string> missing, IReadOnlyList<string> extra, IReadOnlyList<string> misshaped, string? hint)
    {
        static string List(string title, IReadOnlyList<string> keys) =>
            keys.Count == 0
                ? ""
                : $"\n  {title} ({keys.Count}): {string.Join(", ", keys.Take(12).Select(k => Excerpt.Of(k, 300)))}{(keys.Count > 12 ? ", ..." : "")}";
        return $"{file} does not fit the network that its config "
            + $"describes:{List("missing", missing)}{List("not expected", extra)}{List("wrong shape", misshaped)}"
            + $"\n{hint ?? "Check that config and weights come from the same model."}";
    }
}
