namespace NullTextResearch.Benchmarks;

/// <summary>Data of a study: a data set by name, or a list of pictures.</summary>
public sealed record StudyData
{
    /// <summary>Name of a data set in <see cref="EditDatasets"/>; null for a list of pictures.</summary>
    public string? Dataset { get; init; }

    /// <summary>Number of tasks to take from the front of the data set; null for its default.</summary>
    public int? Count { get; init; }

    /// <summary>Folder with the data set's files; null if it needs none. <see cref="StudyPlan.Read"/> keeps it as written.</summary>
    public string? Folder { get; init; }

    /// <summary>Pictures and their edits; empty for a data set by name.</summary>
    public IReadOnlyList<StudyImage> Images { get; init; } = [];
}
