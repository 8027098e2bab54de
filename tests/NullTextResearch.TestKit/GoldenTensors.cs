using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>
/// Reads tensors of a recorded file. Deliberately not the library's reader: a test of one part should not fail, or pass,
/// because of another.
/// </summary>
public sealed class GoldenTensors
{
    private readonly byte[] _bytes;
    private readonly int _data;
    private readonly JsonElement _header;

    /// <summary>Reads a safetensors file of <see cref="Folder"/>.</summary>
    public GoldenTensors(string name)
    {
        _bytes = File.ReadAllBytes(Path.Combine(Folder, name));
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(_bytes);
        _header = JsonDocument.Parse(_bytes.AsMemory(8, length)).RootElement;
        _data = 8 + length;
    }

    /// <summary>data/golden of the checkout.</summary>
    public static string Folder { get; } = SourceTree.At("data", "golden");

    /// <summary>The tensor of that name, in the current dispose scope.</summary>
    public Tensor this[string name]
    {
        get
        {
            JsonElement entry = _header.GetProperty(name);
            int begin = entry.GetProperty("data_offsets")[0].GetInt32(),
                end = entry.GetProperty("data_offsets")[1].GetInt32();
            Tensor result = empty(
                [.. entry.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())],
                entry.GetProperty("dtype").GetString() switch
                {
                    "F32" => ScalarType.Float32,
                    "F64" => ScalarType.Float64,
                    "I64" => ScalarType.Int64,
                    "U8" => ScalarType.Byte,
                    "BOOL" => ScalarType.Bool,
                    string other => throw new NotSupportedException($"{name}: dtype {other}"),
                    null => throw new InvalidDataException($"{name}: no dtype"),
                }
            );
            result.bytes = _bytes.AsSpan(_data + begin, end - begin);
            return result;
        }
    }

    /// <summary>Whether a file is there.</summary>
    public static bool Has(string name) => File.Exists(Path.Combine(Folder, name));
}
