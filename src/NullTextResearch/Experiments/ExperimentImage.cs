using System.Security.Cryptography;
using NullTextResearch.Images;
using NullTextResearch.Scenes;

namespace NullTextResearch.Experiments;

/// <summary>An image with its caption, ready for a model.</summary>
/// <param name="Name">Name in tables: that of its file or scene.</param>
/// <param name="Image">Pixels, of a size that the model accepts.</param>
/// <param name="Caption">Source prompt.</param>
public sealed record ExperimentImage(string Name, RgbImage Image, string Caption)
{
    /// <summary>Edits to apply to it; may be empty.</summary>
    public IReadOnlyList<PlannedEdit> Edits { get; init; } = [];

    /// <summary>The scene if the image is a rendered one, or null.</summary>
    public SceneDescription? Scene { get; init; }

    /// <summary>SHA-256 over size and pixels, in hexadecimal.</summary>
    public string Hash =>
        Convert.ToHexStringLower(SHA256.HashData([.. BitConverter.GetBytes(Image.Width), .. BitConverter.GetBytes(Image.Height), .. Image.Rgb]));

    /// <summary>A number derived from the pixels, so that the seeds of an image's noise do not depend on the other images.</summary>
    internal long Key => BitConverter.ToInt64(Convert.FromHexString(Hash)) & 0x7fffffff;
}
