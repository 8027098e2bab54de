namespace NullTextResearch.Metrics;

/// <summary>The pixels over which a measure of a picture region is averaged.</summary>
public enum MaskedMode
{
    /// <summary>
    /// As in the evaluation of PIE-Bench (PnPInversion, Ju et al. 2023): both pictures are set to black outside the mask and then compared as whole pictures.
    /// The black pixels count as equal, so the smaller the mask, the better the value. For comparison with published tables.
    /// </summary>
    PieOfficial,

    /// <summary>Averaged over the pixels of the mask only, so values for masks of different sizes are comparable.</summary>
    Corrected,
}
