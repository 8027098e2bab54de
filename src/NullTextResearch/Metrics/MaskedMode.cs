namespace NullTextResearch.Metrics;

/// <summary>What a measure of a part of a picture is averaged over.</summary>
public enum MaskedMode
{
    /// <summary>
    /// As the evaluation of PIE-Bench (PnPInversion, Ju et al. 2023) does it: both pictures are set to black outside of the mask and then compared as
    /// whole pictures. The black pixels count as equal, so the smaller the mask, the better the value. For comparison with published tables.
    /// </summary>
    PieOfficial,

    /// <summary>Averaged over the pixels of the mask only: values of masks of different sizes can be compared.</summary>
    Corrected,
}
