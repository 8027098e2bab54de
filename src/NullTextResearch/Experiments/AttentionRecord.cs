namespace NullTextResearch.Experiments;

/// <summary>Cross-attention maps of one image.</summary>
/// <param name="Height">Rows of each map.</param>
/// <param name="Width">Columns of each map.</param>
/// <param name="NullText">Maps of the reconstruction by null-text inversion, one per word.</param>
/// <param name="Textual">Maps of the reconstruction by textual inversion with a pivot.</param>
public sealed record AttentionRecord(int Height, int Width, IReadOnlyList<WordMap> NullText, IReadOnlyList<WordMap> Textual);
