using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace NullTextResearch.Experiments;

/// <summary>What a result depends on. Two results with equal keys are the same.</summary>
/// <param name="Experiment">Name of the computation.</param>
/// <param name="ImageHash">Hash of the image's pixels.</param>
/// <param name="Prompt">Its caption.</param>
/// <param name="ModelFingerprint">Hash of the model's weights.</param>
/// <param name="OptionsJson">All options, as JSON.</param>
/// <param name="AlgorithmVersion">Incremented by hand whenever the numbers of an algorithm change.</param>
public sealed record ResultKey(string Experiment, string ImageHash, string Prompt, string ModelFingerprint, string OptionsJson, int AlgorithmVersion)
{
    /// <summary>SHA-256 over all parts, in hexadecimal.</summary>
    public string Hash =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    // JSON keeps the parts separate, whatever they contain.
                    JsonSerializer.Serialize(
                        (string[])
                            [
                                Experiment,
                                ImageHash,
                                Prompt,
                                ModelFingerprint,
                                OptionsJson,
                                AlgorithmVersion.ToString(System.Globalization.CultureInfo.InvariantCulture),
                            ]
                    )
                )
            )
        );
}
