namespace NullTextResearch.Images;

/// <summary>Weight function of a resize.</summary>
public enum ResizeFilter
{
    /// <summary>The nearest pixel: no new colours, but jagged edges.</summary>
    Nearest,

    /// <summary>Triangle, support 1.</summary>
    Bilinear,

    /// <summary>Cubic convolution with a = -0.5 (Keys), support 2: the default of the resizing library in the released code.</summary>
    Bicubic,

    /// <summary>Windowed sinc, support 3: sharpest, rings a little.</summary>
    Lanczos,
}
