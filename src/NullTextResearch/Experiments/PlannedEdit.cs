using NullTextResearch.Images;
using NullTextResearch.Scenes;

namespace NullTextResearch.Experiments;

/// <summary>An edit that an experiment applies to an image.</summary>
/// <param name="Prompt">What the edited image should show.</param>
/// <param name="Label">What changes, in a few words.</param>
public sealed record PlannedEdit(string Prompt, string Label)
{
    /// <summary>Word of the source prompt that shows where the edit happens; null lets the whole image change.</summary>
    public string? SourceBlendWord { get; init; }

    /// <summary>Its counterpart in <see cref="Prompt"/>, or null.</summary>
    public string? TargetBlendWord { get; init; }

    /// <summary>The true result if it is known (rendered scenes), or null.</summary>
    public RgbImage? Truth { get; init; }

    /// <summary>The edited scene if the image is a rendered one, or null.</summary>
    public SceneDescription? TargetScene { get; init; }
}
