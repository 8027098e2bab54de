using System.Globalization;

namespace NullTextResearch.Verification;

/// <summary>How a comparison ended.</summary>
public enum VerificationStatus
{
    /// <summary>Every limit holds.</summary>
    Pass,

    /// <summary>A limit does not hold, or the value could not be made.</summary>
    Fail,

    /// <summary>Not compared; the reason says why.</summary>
    Skip,
}

/// <summary>One limit and what was measured.</summary>
/// <param name="Name">Kind of measure, as in checks.json: <c>rel_l2</c>, <c>max_abs</c>, ...</param>
/// <param name="Value">What was measured.</param>
/// <param name="Limit">The limit, scaled where the check asks for it.</param>
/// <param name="AtLeast">True where larger is better (PSNR).</param>
public sealed record VerificationMeasure(string Name, double Value, double Limit, bool AtLeast = false)
{
    /// <summary>Whether the limit holds; what is not a number never does.</summary>
    public bool Holds => AtLeast ? Value >= Limit : Value <= Limit;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} {Value:g3} ({(AtLeast ? "at least" : "limit")} {Limit:g3})");
}

/// <summary>What came of one stored tensor.</summary>
/// <param name="File">File of the folder.</param>
/// <param name="Tensor">Name of the tensor in it, or of another stored fact.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Measures">Every limit with what was measured; empty where nothing was compared in numbers.</param>
/// <param name="Reason">Why it was skipped or failed otherwise than by a limit; null if there is nothing to say.</param>
public sealed record VerificationResult(
    string File,
    string Tensor,
    VerificationStatus Status,
    IReadOnlyList<VerificationMeasure> Measures,
    string? Reason = null
)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        string measures = string.Join(", ", Measures);
        string reason =
            Reason is null ? ""
            : measures.Length > 0 ? $"; {Reason}"
            : Reason;
        return $"{Status.ToString().ToLowerInvariant()} {File} {Tensor}: {measures}{reason}";
    }
}

/// <summary>Which part of a folder to verify.</summary>
public sealed record VerificationOptions
{
    /// <summary>
    /// Files, with * and ? as wild cards; <c>manifest.json</c> stands for the checks of the weight formula, <c>rules</c> for those of rules that no
    /// stored run decides.
    /// </summary>
    public string Files { get; init; } = "*";

    /// <summary>Only tensors whose name contains this; null for all.</summary>
    public string? Only { get; init; }

    /// <summary>Whether chosen files that the manifest describes and the folder does not hold are skipped; without this they are failures.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>
    /// A model whose weights follow the folder's formula, and which came the way that users' models come: its networks are verified in place of
    /// networks made here. Borrowed. Null makes them. Files that are not of its precision or architecture are an error.
    /// </summary>
    internal StableDiffusion? Model { get; init; }
}
