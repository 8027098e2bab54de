namespace NullTextResearch.Images;

/// <summary>What becomes of transparency.</summary>
public enum AlphaHandling
{
    /// <summary>Blend onto white: what a viewer with a white page shows.</summary>
    OnWhite,

    /// <summary>Blend onto black.</summary>
    OnBlack,

    /// <summary>Take the stored colours and forget the alpha, as the released code does.</summary>
    Discard,
}
