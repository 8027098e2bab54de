namespace NullTextResearch.Experiments;

/// <summary>Cross-attention maps of one image.</summary>
/// <param name="Height">Rows of each map.</param>
/// <param name="Width">Columns of each map.</param>
/// <param name="NullText">Maps while the image is rebuilt by null-text inversion, one per word.</param>
/// <param name="Textual">Maps while it is rebuilt by textual inversion with a pivot.</param>
public sealed record AttentionRecord(int Height, int Width, IReadOnlyList<WordMap> NullText, IReadOnlyList<WordMap> Textual);
