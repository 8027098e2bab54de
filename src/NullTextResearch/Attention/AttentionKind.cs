namespace NullTextResearch.Attention;

/// <summary>What attends to what.</summary>
public enum AttentionKind
{
    /// <summary>Pixels to pixels.</summary>
    Self,

    /// <summary>Pixels to text tokens.</summary>
    Cross,
}
