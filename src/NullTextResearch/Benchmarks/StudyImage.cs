namespace NullTextResearch.Benchmarks;

/// <summary>A picture of the user's own and an edit of it, as a study names them. Files are relative to the study's file.</summary>
public sealed record StudyImage
{
    /// <summary>File of the picture: PNG, JPEG or WebP.</summary>
    public required string Image { get; init; }

    /// <summary>What it shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>What the edited picture should show.</summary>
    public required string To { get; init; }

    /// <summary>Name of the task; null for that of the file, with a number where one file has several edits.</summary>
    public string? Id { get; init; }

    /// <summary>Type of the edit, for tables (default: "edit").</summary>
    public string Kind { get; init; } = "edit";

    /// <summary>Words that show where the edit happens; may be empty.</summary>
    public IReadOnlyList<string> Blend { get; init; } = [];

    /// <summary>Factors of words of the target prompt; may be empty.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();

    /// <summary>A picture of the same size, white where the edit may change something; null if it may change everything.</summary>
    public string? Mask { get; init; }

    /// <summary>File of the true result, of the same size; null if nobody knows it.</summary>
    public string? Truth { get; init; }
}
