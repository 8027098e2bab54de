namespace NullTextResearch.Figures;

/// <summary>Small pictures that belong together, folded away under one line of a report until a reader opens it.</summary>
/// <param name="Title">The line.</param>
/// <param name="Pictures">At least one; each is shown at about 110 CSS pixels, with its caption below.</param>
public sealed record PictureGallery(string Title, IReadOnlyList<ReportImage> Pictures)
{
    /// <summary>Whether it is open from the start (default: false).</summary>
    public bool IsOpen { get; init; }
}
