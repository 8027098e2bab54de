namespace NullTextResearch.Figures;

/// <summary>A named value in a report's head: model, images, device ...</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Its value, with unit.</param>
public sealed record ReportFact(string Name, string Value);
