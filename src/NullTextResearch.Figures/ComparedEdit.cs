using NullTextResearch.Images;

namespace NullTextResearch.Figures;

/// <summary>Result of one editor on an inverted picture.</summary>
/// <param name="Picture">The edited picture.</param>
/// <param name="Evaluations">Network evaluations of the edit, including those of the source branch.</param>
/// <param name="Backwards">How many of them were followed by a backward pass.</param>
/// <param name="Seconds">Time of the edit.</param>
public sealed record ComparedEdit(RgbImage Picture, long Evaluations, long Backwards, double Seconds);
