namespace NullTextResearch.Inversion;

/// <summary>How the difference between the two predictions of classifier-free guidance is thresholded.</summary>
public enum ProximalRule
{
    /// <summary>Values up to the threshold become 0, larger ones stay: the proximal map of the l0 penalty.</summary>
    Hard,

    /// <summary>All values move towards 0 by the threshold, and stop there: the proximal map of the l1 penalty.</summary>
    Soft,
}
