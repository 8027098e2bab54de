using System.Text.Json;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>
/// The state of an interrupted stage: a few float32 vectors and numbers in one file, replaced in one go, so that a
/// process killed at any time leaves either the old state or the new one.
/// </summary>
internal static class TrainingCheckpoint
{
    private static readonly byte[] Magic = "NTRTRAIN1"u8.ToArray();

    public static void Save(string path, IReadOnlyDictionary<string, double> numbers, IReadOnlyDictionary<string, Tensor> vectors)
    {
        WholeFile.Write(path, file =>
        {
            using BinaryWriter writer = new(file, System.Text.Encoding.UTF8, leaveOpen: true);
            writer.Write(Magic);
            writer.Write(JsonSerializer.Serialize(new Header(
                new(numbers), [.. vectors.Keys], [.. vectors.Values.Select(v => v.shape[0])])));
            foreach (Tensor vector in vectors.Values)
            {
                using Tensor cpu = vector.cpu();
                writer.Write(cpu.bytes);
            }

            writer.Flush();
            file.Flush(flushToDisk: true);
        });
    }

    /// <summary>Reads the numbers, and copies each vector into the tensor of that name, which must have its length.</summary>
    /// <exception cref="InvalidDataException">The file is not a checkpoint of this stage and these networks.</exception>
    public static IReadOnlyDictionary<string, double> Load(string path, IReadOnlyDictionary<string, Tensor> vectors)
    {
        using FileStream file = File.OpenRead(path);
        using BinaryReader reader = new(file);
        if (!reader.ReadBytes(Magic.Length).AsSpan().SequenceEqual(Magic))
            throw new InvalidDataException($"{path} is not a training checkpoint; delete it to start this stage anew.");
        Header header = JsonSerializer.Deserialize<Header>(reader.ReadString())!;
        if (!header.Names.SequenceEqual(vectors.Keys) || !header.Lengths.SequenceEqual(vectors.Values.Select(v => v.shape[0])))
            throw new InvalidDataException($"{path} belongs to networks of other sizes; train with the recipe that wrote it, or into another folder.");
        using IDisposable grad = no_grad();
        foreach (Tensor vector in vectors.Values)
        {
            using Tensor cpu = empty(vector.shape, ScalarType.Float32);
            file.ReadExactly(cpu.bytes);
            vector.copy_(cpu);
        }

        return header.Numbers;
    }

    private sealed record Header(Dictionary<string, double> Numbers, string[] Names, long[] Lengths);
}
