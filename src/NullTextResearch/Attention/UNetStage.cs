namespace NullTextResearch.Attention;

/// <summary>Which part of the U-Net.</summary>
public enum UNetStage
{
    /// <summary>Contracting path.</summary>
    Down,

    /// <summary>Bottleneck.</summary>
    Mid,

    /// <summary>Expanding path.</summary>
    Up,
}
