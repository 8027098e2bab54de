using NullTextResearch.Metrics;

namespace NullTextResearch.Experiments;

/// <summary>What a quirk changes: differences are positive where the quirk is better.</summary>
/// <param name="Quirk">The quirk.</param>
/// <param name="Reconstruction">Change of the reconstruction's PSNR in dB.</param>
/// <param name="Edit">Change of the edit's PSNR to the true edit in dB.</param>
public sealed record QuirkRow(Quirk Quirk, PairedDifference Reconstruction, PairedDifference Edit);
