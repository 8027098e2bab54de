using NullTextResearch.Images;

namespace NullTextResearch.Interactive;

/// <summary>A picture with its name.</summary>
/// <param name="Name">A name or caption of a few words.</param>
/// <param name="Image">The picture.</param>
public sealed record NamedImage(string Name, RgbImage Image);
