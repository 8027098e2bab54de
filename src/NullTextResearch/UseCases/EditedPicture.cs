using NullTextResearch.Editing;
using NullTextResearch.Images;

namespace NullTextResearch;

/// <summary>An edited picture. Owns its tensors.</summary>
public sealed class EditedPicture : IDisposable
{
    internal EditedPicture() { }

    /// <summary>Prompt of the edited picture.</summary>
    public required string Prompt { get; init; }

    /// <summary>The edited picture.</summary>
    public required RgbImage Image { get; init; }

    /// <summary>Latents, masks, attention maps and costs, for use with the library's other functions.</summary>
    public required EditResult Result { get; init; }

    /// <summary>Options used.</summary>
    public required EditOptions Options { get; init; }

    /// <summary>Parts of the prompt that the model does not understand, one sentence each; empty for models with an open vocabulary.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Frees the tensors; the pictures remain.</summary>
    public void Dispose() => Result.Dispose();
}
