using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>
/// Safetensors files that this library writes and reads again. Their header carries a checksum of everything else in them: names, types, shapes, metadata and
/// every byte of the data.
/// </summary>
internal static class SealedTensors
{
    private const string Seal = "sha256";

    /// <summary>Writes a file, whole or not at all.</summary>
    /// <param name="path">Target; an existing file is replaced.</param>
    /// <param name="tensors">Names and tensors; borrowed.</param>
    /// <param name="metadata">Additional metadata.</param>
    /// <returns>The checksum, in hexadecimal.</returns>
    /// <exception cref="IOException">The disk is full or the file cannot be written.</exception>
    public static string Write(string path, IReadOnlyList<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        KeyValuePair<string, Tensor>[] plain = [.. tensors.Select(t => new KeyValuePair<string, Tensor>(t.Key, t.Value.detach().cpu().contiguous()))];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AddStrings(hash, metadata);
        foreach ((string name, Tensor tensor) in plain)
        {
            AddName(hash, name, tensor.dtype, tensor.shape);
            hash.AppendData(tensor.bytes);
        }

        string checksum = Convert.ToHexStringLower(hash.GetHashAndReset());
        SafetensorsFile.Write(path, plain, new Dictionary<string, string>(metadata) { [Seal] = checksum });
        return checksum;
    }

    /// <summary>The checksum that a file carries, or null.</summary>
    public static string? ClaimOf(SafetensorsFile file) => file.Metadata.GetValueOrDefault(Seal);

    /// <summary>The checksum that a file should carry; reads all of its data.</summary>
    /// <exception cref="ModelFormatException">The file ends early.</exception>
    public static string Of(SafetensorsFile file)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AddStrings(hash, file.Metadata);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            foreach (SafetensorsEntry entry in file.Entries.OrderBy(e => e.Begin).ThenBy(e => e.End))
            {
                AddName(hash, entry.Name, entry.Dtype, entry.Shape);
                long length = entry.End - entry.Begin;
                for (long at = 0; at < length; at += buffer.Length)
                {
                    Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - at));
                    file.ReadBytes(entry, at, part);
                    hash.AppendData(part);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void AddStrings(IncrementalHash hash, IReadOnlyDictionary<string, string> metadata)
    {
        foreach ((string key, string value) in metadata.Where(m => m.Key != Seal).OrderBy(m => m.Key, StringComparer.Ordinal))
            Add(hash, $"{key.Length} {value.Length} {key}{value}");
    }

    private static void AddName(IncrementalHash hash, string name, ScalarType dtype, IEnumerable<long> shape) =>
        Add(hash, string.Create(CultureInfo.InvariantCulture, $"{name.Length} {name} {dtype} {string.Join(',', shape)}\n"));

    private static void Add(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
}
