using System.Globalization;

namespace NullTextResearch.Experiments;

/// <summary>Results that were to be found are not there.</summary>
/// <param name="experiment">Name of the computation.</param>
/// <param name="images">Names of the images without a result.</param>
public sealed class MissingResultsException(string experiment, IReadOnlyList<string> images)
    : InvalidOperationException(
        string.Create(CultureInfo.InvariantCulture, $"Results of '{experiment}' are missing for {images.Count} image{(images.Count == 1 ? "" : "s")}: ")
            + $"{string.Join(", ", images)}. Compute the shards that they belong to first."
    )
{
    /// <summary>Names of the images without a result.</summary>
    public IReadOnlyList<string> Images { get; } = images;
}
