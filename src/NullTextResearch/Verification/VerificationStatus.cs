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
