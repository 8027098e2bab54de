using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Key.</param>
/// <param name="TypeName">Element type, as the file names it.</param>
/// <param name="Shape">Shape; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">Byte after the last.</param>
public sealed record SafetensorsEntry(string Name, string TypeName, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Whether tensors of its type can be read here. Besides their weights, files often contain a counter or a marker of another type.</summary>
    public bool IsReadable => SafetensorsFile.TypeOf(TypeName) is not null;

    /// <summary>Element type.</summary>
    /// <exception cref="ModelFormatException">It is not <see cref="IsReadable"/>.</exception>
    public ScalarType Dtype =>
        SafetensorsFile.TypeOf(TypeName) ?? throw new ModelFormatException($"'{Excerpt.Of(Name)}' {SafetensorsFile.Unreadable(TypeName)}.");
}
