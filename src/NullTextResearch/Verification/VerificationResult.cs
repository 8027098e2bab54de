namespace NullTextResearch.Verification;

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
