using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch;

/// <summary>How an image is inverted. Defaults: null-text inversion as in the released code.</summary>
public sealed record InvertOptions
{
    /// <summary>Null-text inversion with 50 steps, as in the released code.</summary>
    public static InvertOptions Default { get; } = new();

    /// <summary>The method; null (default) uses null-text inversion as released. Your own implementation works too.</summary>
    public IInversion? Method { get; init; }

    /// <summary>T, DDIM steps, 1 to 999 (default 50).</summary>
    public int Steps { get; init; } = 50;

    /// <summary>w, the guidance scale of the sampling that the inversion prepares (default 7.5).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>What to crop first, and the filter for resizing pictures; its size is not used. Null (default) crops nothing.</summary>
    public ImagePreparation? Crop { get; init; }

    /// <summary>
    /// Size of the prepared pictures: <see cref="ImageSizing.Keep"/>, <see cref="ImageSizing.AsIs"/>, <see cref="ImageSizing.Of"/>. Null (default) crops
    /// pictures to a centred square and resizes them to the model's own size; images of a workbench's sets are left unchanged.
    /// </summary>
    public ImageSizing? Size { get; init; }

    /// <summary>The picture at the size at which it will be inverted.</summary>
    /// <param name="image">A picture of any size.</param>
    /// <param name="rule">The sizes that the model accepts.</param>
    /// <exception cref="ArgumentException">The model does not accept the size.</exception>
    public RgbImage Prepare(RgbImage image, SizeRule rule) => (Crop ?? new ImagePreparation()).Apply(image, Size ?? ImageSizing.Own, rule);
}
