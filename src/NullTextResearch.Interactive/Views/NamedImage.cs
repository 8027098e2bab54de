using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>A picture with its name.</summary>
/// <param name="Name">What it is, in a few words.</param>
/// <param name="Image">The picture.</param>
public sealed record NamedImage(string Name, RgbImage Image);
