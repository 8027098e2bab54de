namespace NullTextResearch.Verification;

/// <summary>Outcome of a comparison.</summary>
public enum VerificationStatus
{
    /// <summary>Every limit holds.</summary>
    Pass,

    /// <summary>A limit does not hold, or the value could not be computed.</summary>
    Fail,

    /// <summary>Not compared; the reason says why.</summary>
    Skip,
}
