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

    /// <summary>Latents, masks, attention maps and costs: what the library's own functions take.</summary>
    public required EditResult Result { get; init; }

    /// <summary>Options used.</summary>
    public required EditOptions Options { get; init; }

    /// <summary>What the model will not understand of the prompt, a sentence each; empty for models of an open vocabulary.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Frees the tensors; pictures stay.</summary>
    public void Dispose() => Result.Dispose();
}
