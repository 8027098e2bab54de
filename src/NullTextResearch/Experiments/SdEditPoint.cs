using NullTextResearch.Metrics;

namespace NullTextResearch.Experiments;

/// <summary>One image edited by SDEdit at one strength.</summary>
/// <param name="Strength">t0.</param>
/// <param name="TargetProbability">
/// The classifier's probability of the new word, 0 to 1; null without a classifier, or if the word is not one of its classes.
/// </param>
/// <param name="DistanceToSource"><see cref="MultiScaleDistance"/> to the input image.</param>
/// <param name="Png">The edited image as PNG.</param>
public sealed record SdEditPoint(double Strength, double? TargetProbability, double DistanceToSource, byte[] Png);
