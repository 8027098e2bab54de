namespace NullTextResearch.Verification;

/// <summary>Which part of a folder to verify.</summary>
public sealed record VerificationOptions
{
    /// <summary>
    /// Files, with the wildcards * and ?. <c>manifest.json</c> selects the checks of the weight formula; <c>rules</c> selects those of rules that no
    /// stored run decides.
    /// </summary>
    public string Files { get; init; } = "*";

    /// <summary>Only tensors whose name contains this; null for all.</summary>
    public string? Only { get; init; }

    /// <summary>Whether selected files that the manifest describes but the folder lacks are skipped; otherwise they are failures.</summary>
    public bool AllowMissing { get; init; }

    /// <summary>
    /// A model whose weights follow the folder's formula, loaded the same way as users' models: its networks are verified instead of networks made
    /// here. Borrowed. Null: networks are made here. Files that do not have its precision or architecture are an error.
    /// </summary>
    internal StableDiffusion? Model { get; init; }
}
