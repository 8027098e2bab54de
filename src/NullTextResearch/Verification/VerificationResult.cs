namespace NullTextResearch.Verification;

/// <summary>The result for one stored tensor.</summary>
/// <param name="File">File of the folder.</param>
/// <param name="Tensor">Name of the tensor in the file, or of another stored fact.</param>
/// <param name="Status">Outcome of the comparison.</param>
/// <param name="Measures">Every limit with its measured value; empty if no numbers were compared.</param>
/// <param name="Reason">Why it was skipped, or failed for a reason other than a limit; null if there is nothing to say.</param>
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
