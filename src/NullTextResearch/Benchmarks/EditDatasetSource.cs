namespace NullTextResearch.Benchmarks;

/// <summary>A kind of data set that studies can name.</summary>
public sealed record EditDatasetSource
{
    /// <summary>Name in a study's file: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it is, in one line.</summary>
    public required string Summary { get; init; }

    /// <summary>Whether it reads files, so that a study has to name a folder.</summary>
    public bool NeedsFolder { get; init; }

    /// <summary>
    /// Opens it. The folder is a full path. Throws an exception whose message says what is missing and where it can be had if pictures or lists are not there.
    /// </summary>
    public required Func<StudyData, IEditDataset> Open { get; init; }
}
