namespace NullTextResearch.Training;

/// <summary>Held-out accuracies of the classifier, 0 to 1.</summary>
/// <param name="Objects">All objects named.</param>
/// <param name="Backgrounds">Background named.</param>
/// <param name="Colours">Colours of all coloured objects named, over scenes with at least one (exactly one for a judge of the first domain).</param>
/// <param name="Air">Time of day, weather and style named.</param>
/// <param name="Sides">The left one of two objects found, over scenes with two.</param>
public sealed record ClassifierAccuracy(double Objects, double Backgrounds, double Colours, double Air, double Sides);
