namespace NullTextResearch.Perception;

/// <summary>How pictures are prepared for <see cref="DinoStructure"/>.</summary>
public enum StructureMode
{
    /// <summary>
    /// As the evaluation of PIE-Bench (PnPInversion, Ju et al. 2023) does it: bytes go in as 0 to 255, although mean and deviation are those of values
    /// of 0 to 1, and pictures are shrunk without antialiasing. For comparison with published tables.
    /// </summary>
    PieOfficial,

    /// <summary>Bytes as 0 to 1, which the network was trained on, and shrinking with antialiasing.</summary>
    Corrected,
}
