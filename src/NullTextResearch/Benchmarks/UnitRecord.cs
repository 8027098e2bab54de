namespace NullTextResearch.Benchmarks;

/// <summary>The result of a unit, or the error that ended it: one file.</summary>
public sealed record UnitRecord
{
    /// <summary>What became of it.</summary>
    public required UnitStatus Status { get; init; }

    /// <summary>Why it was refused or failed; null otherwise.</summary>
    public string? Reason { get; init; }

    /// <summary>Where it failed: "inversion", "edit" or "scores"; null otherwise.</summary>
    public string? Stage { get; init; }

    /// <summary>The error with its stack trace, for whoever looks for its cause; null unless it failed.</summary>
    public string? Error { get; init; }

    /// <summary>How often it failed so far; 0 otherwise.</summary>
    public int Attempts { get; init; }

    /// <summary>Which place of a study the unit has: see <see cref="StudyUnit.Slot"/>.</summary>
    public required string Slot { get; init; }

    /// <summary>Network evaluations of the inversion, which all units of its group share.</summary>
    public double Evaluations { get; init; }

    /// <summary>How many of them were followed by a backward pass.</summary>
    public double Backwards { get; init; }

    /// <summary>Network evaluations of the edit, source and target together.</summary>
    public double EditEvaluations { get; init; }

    /// <summary>How many of them were followed by a backward pass.</summary>
    public double EditBackwards { get; init; }

    /// <summary>Seconds of the inversion.</summary>
    public double Seconds { get; init; }

    /// <summary>Seconds of the edit.</summary>
    public double EditSeconds { get; init; }

    /// <summary>PSNR of the reconstruction against the picture, dB; null if there is none.</summary>
    public double? ReconstructionPsnr { get; init; }

    /// <summary>PSNR of the autoencoder's round trip against the picture, dB: the bound of any inversion; null if there is none.</summary>
    public double? AutoencoderPsnr { get; init; }

    /// <summary>Scores of the edited picture by column, such as <c>source-outside-psnr</c>; NaN where a mask is empty.</summary>
    public IReadOnlyDictionary<string, double> Scores { get; init; } = new Dictionary<string, double>();

    /// <summary>How the scores count: mode of masks, and the weights of networks. Scores of another kind are computed again.</summary>
    public string ScoredBy { get; init; } = "";

    /// <summary>Whether the edit did what the task asks for; null if nobody judged it, or nobody can.</summary>
    public bool? Success { get; init; }

    /// <summary><see cref="IEditJudge.Id"/> of who judged it; null if nobody did.</summary>
    public string? JudgedBy { get; init; }

    /// <summary>SHA-256 of the PNG file beside the record, in hexadecimal; null if there is none.</summary>
    public string? PictureSha256 { get; init; }

    /// <summary>Where it was computed: cpu, cuda.</summary>
    public string Device { get; init; } = "";

    /// <summary>Version of the program.</summary>
    public string Program { get; init; } = "";

    /// <summary>When it was finished, UTC.</summary>
    public DateTimeOffset Finished { get; init; }
}
