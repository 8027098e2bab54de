namespace NullTextResearch.Perception;

/// <summary>How pictures are prepared for <see cref="DinoStructure"/>.</summary>
public enum StructureMode
{
    /// <summary>
    /// As in the evaluation of PIE-Bench (PnPInversion, Ju et al. 2023): bytes are used as 0 to 255, although mean and deviation apply to values in [0, 1], and
    /// pictures are downsized without antialiasing. For comparison with published tables.
    /// </summary>
    PieOfficial,

    /// <summary>Bytes scaled to [0, 1], as in the network's training, and downsizing with antialiasing.</summary>
    Corrected,
}
