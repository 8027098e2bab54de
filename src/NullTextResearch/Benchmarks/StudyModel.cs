using NullTextResearch.Images;

namespace NullTextResearch.Benchmarks;

/// <summary>A model of a study on this machine; it is loaded when the first unit needs it.</summary>
/// <param name="Name">Name in tables, unique in the study.</param>
/// <param name="Identity">Hash of the weights, configs and numerical settings; part of every key.</param>
/// <param name="Sizes">The sizes that it accepts.</param>
/// <param name="Load">Loads it; the caller owns the result.</param>
public sealed record StudyModel(string Name, string Identity, SizeRule Sizes, Func<IDiffusionModel> Load);
