namespace NullTextResearch.Verification;

/// <summary>Which part of a folder to verify.</summary>
public sealed record VerificationOptions
{
    /// <summary>
    /// Files, with * and ? as wild cards; <c>manifest.json</c> stands for the checks of the weight formula, <c>rules</c> for those of rules that no
    /// stored run decides.
    /// </summary>
    public string Files { get; init; } = "*";

    /// <summary>Only tensors whose name contains this; null for all.</summary>
    public string? Only { get; init; }

    /// <summary>Whether chosen files that the manifest describes and the folder does not hold are skipped; without this they are failures.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>
    /// A model whose weights follow the folder's formula, and which came the way that users' models come: its networks are verified in place of
    /// networks made here. Borrowed. Null makes them. Files that are not of its precision or architecture are an error.
    /// </summary>
    internal StableDiffusion? Model { get; init; }
}
