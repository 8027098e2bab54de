namespace NullTextResearch.Experiments;

/// <summary>SDEdit of one image, with the empty prompt and with optimised null texts.</summary>
/// <param name="Prompt">Target prompt.</param>
/// <param name="Word">The new word that the classifier looks for, or null.</param>
/// <param name="Plain">SDEdit as published.</param>
/// <param name="WithNullText">The same noise, with the image's null-text embeddings.</param>
public sealed record SdEditRecord(string Prompt, string? Word, IReadOnlyList<SdEditPoint> Plain, IReadOnlyList<SdEditPoint> WithNullText);
