namespace NullTextResearch.Images;

/// <summary>How transparency is handled.</summary>
public enum AlphaHandling
{
    /// <summary>Blend onto white, as a viewer with a white page does.</summary>
    OnWhite,

    /// <summary>Blend onto black.</summary>
    OnBlack,

    /// <summary>Keep the stored colours and drop the alpha, as the released code does.</summary>
    Discard,
}
