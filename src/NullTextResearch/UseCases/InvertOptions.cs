using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch;

/// <summary>How an image is inverted. Defaults: null-text inversion as in the released code.</summary>
public sealed record InvertOptions
{
    /// <summary>Null-text inversion with 50 steps, as in the released code.</summary>
    public static InvertOptions Default { get; } = new();

    /// <summary>The method; null (default) takes null-text inversion as released. Any class of yours will do.</summary>
    public IInversion? Method { get; init; }

    /// <summary>T, DDIM steps, 1 to 999 (default 50).</summary>
    public int Steps { get; init; } = 50;

    /// <summary>w, the guidance scale of the sampling that the inversion prepares (default 7.5).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>What is cut off first, and by which filter pictures are resized; its size is not used. Null (default) cuts nothing off.</summary>
    public ImagePreparation? Crop { get; init; }

    /// <summary>
    /// What size pictures get: <see cref="ImageSizing.Keep"/>, <see cref="ImageSizing.AsIs"/>, <see cref="ImageSizing.Of"/>. Null (default) cuts pictures
    /// to a centred square and resizes them to the model's own; images of a workbench's sets stay as they are.
    /// </summary>
    public ImageSizing? Size { get; init; }

    /// <summary>The picture in the size that it will be inverted in.</summary>
    /// <param name="image">A picture of any size.</param>
    /// <param name="rule">Which sizes the model takes.</param>
    /// <exception cref="ArgumentException">The model does not take the size.</exception>
    public RgbImage Prepare(RgbImage image, SizeRule rule) => (Crop ?? new ImagePreparation()).Apply(image, Size ?? ImageSizing.Own, rule);
}
