namespace NullTextResearch.Training;

/// <summary>Held-out accuracies of the classifier, 0 to 1.</summary>
/// <param name="Objects">All objects identified.</param>
/// <param name="Backgrounds">Background identified.</param>
/// <param name="Colours">Colours of all coloured objects identified, over scenes with at least one (exactly one for a classifier of the first domain).</param>
/// <param name="Air">Time of day, weather and style identified.</param>
/// <param name="Sides">The left one of two objects identified, over scenes with two.</param>
public sealed record ClassifierAccuracy(double Objects, double Backgrounds, double Colours, double Air, double Sides);
