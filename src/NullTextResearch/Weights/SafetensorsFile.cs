using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Key.</param>
/// <param name="Dtype">Element type.</param>
/// <param name="Shape">Shape; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">Byte after the last.</param>
public sealed record SafetensorsEntry(string Name, ScalarType Dtype, IReadOnlyList<long> Shape, long Begin, long End);

/// <summary>
/// Reads and writes safetensors files: eight bytes of header length, a JSON header, raw little-endian data. Everything in
/// the header is checked against the file before a byte of data is read, so a malformed file is refused, never half loaded.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const long MaximumHeader = 100_000_000;

    private static readonly (string Name, ScalarType Dtype, int Bytes)[] Types =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    private readonly SafeFileHandle _handle;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);

    private SafetensorsFile(string path)
    {
        Path = path;
        try
        {
            _handle = File.OpenHandle(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFormatException($"Missing file: {path}", e);
        }
        try
        {
            long length = RandomAccess.GetLength(_handle);
            byte[] prefix = new byte[8];
            if (length < 8 || RandomAccess.Read(_handle, prefix, 0) != 8) throw Bad("it is shorter than the 8 bytes of a header length");
            ulong declared = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (declared > MaximumHeader || (long)declared > length - 8)
            {
                // Only now: a sound header may well be 0x..80 bytes long.
                bool pickle = prefix[0] == 0x80 || (prefix[0] == (byte)'P' && prefix[1] == (byte)'K');
                throw Bad(pickle
                    ? $"it looks like a pickle checkpoint (.ckpt, .bin, .pt), which can run code when opened and is never read here; {PickleCheckpoint.Conversion}"
                    : $"its header claims {declared} bytes, the file has {length - 8} after the length");
            }
            byte[] header = new byte[declared];
            ReadExactly(header, 8);
            _dataStart = 8 + (long)declared;
            Parse(header, length - _dataStart);
        }
        catch
        {
            _handle.Dispose();
            throw;
        }
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>What the file holds, in file order.</summary>
    public IReadOnlyCollection<SafetensorsEntry> Entries => _entries.Values;

    /// <summary>Free-form strings of the header's __metadata__.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="ModelFormatException">The file is missing, truncated, malformed or no safetensors file.</exception>
    public static SafetensorsFile Open(string path) => new(path);

    /// <summary>True if the file holds a tensor of that name.</summary>
    public bool Has(string name) => _entries.ContainsKey(name);

    /// <summary>The entry of that name.</summary>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public SafetensorsEntry Entry(string name) => _entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw Bad($"it holds no tensor '{name}'");

    /// <summary>Reads one tensor.</summary>
    /// <returns>A CPU tensor in the file's dtype; owned by the caller's dispose scope.</returns>
    /// <exception cref="ModelFormatException">There is no such tensor, or the file ends early.</exception>
    public Tensor Read(string name)
    {
        SafetensorsEntry entry = Entry(name);
        Tensor tensor = empty([.. entry.Shape], entry.Dtype);
        // Tensor.bytes is one span over native memory, at most 2 GiB; larger tensors do not occur in this family.
        if (entry.End > entry.Begin) ReadExactly(tensor.bytes, _dataStart + entry.Begin);
        return tensor;
    }

    /// <summary>Reads some of a tensor's bytes, as they lie in the file.</summary>
    /// <param name="entry">An entry of this file.</param>
    /// <param name="offset">First byte, counted from the tensor's first.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <exception cref="ModelFormatException">The range leaves the tensor, or the file ends early.</exception>
    public void ReadBytes(SafetensorsEntry entry, long offset, Span<byte> target)
    {
        if (offset < 0 || offset + target.Length > entry.End - entry.Begin)
            throw Bad($"bytes {offset} to {offset + target.Length} of '{entry.Name}' were asked for, it has {entry.End - entry.Begin}");
        ReadExactly(target, _dataStart + entry.Begin + offset);
    }

    /// <summary>Bytes of one element.</summary>
    internal static int BytesOf(ScalarType dtype) => Array.Find(Types, t => t.Dtype == dtype).Bytes;

    /// <summary>Writes tensors to a file, whole or not at all.</summary>
    /// <param name="path">Target; an existing file is replaced.</param>
    /// <param name="tensors">Names and tensors; borrowed.</param>
    /// <param name="metadata">Free-form strings for the header, or null.</param>
    public static void Write(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        KeyValuePair<string, Tensor>[] all = [.. tensors];
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            if (metadata is not null)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            long at = 0;
            foreach ((string name, Tensor tensor) in all)
            {
                (string Name, ScalarType Dtype, int Bytes) type = Array.Find(Types, t => t.Dtype == tensor.dtype);
                if (type.Name is null) throw new ArgumentException($"'{name}' has dtype {tensor.dtype}, which safetensors files cannot hold.", nameof(tensors));
                long bytes = tensor.numel() * type.Bytes;
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name);
                json.WriteStartArray("shape");
                foreach (long n in tensor.shape) json.WriteNumberValue(n);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at + bytes);
                json.WriteEndArray();
                json.WriteEndObject();
                at += bytes;
            }
            json.WriteEndObject();
        }
        while (header.Length % 8 != 0) header.WriteByte((byte)' ');

        WholeFile.Write(path, file =>
        {
            byte[] length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            file.Write(length);
            header.WriteTo(file);
            foreach ((_, Tensor tensor) in all)
            {
                using DisposeScope scope = NewDisposeScope();
                using IDisposable grad = no_grad();
                file.Write(tensor.detach().cpu().contiguous().bytes);
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private void Parse(byte[] header, long dataLength)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(header);
        }
        catch (JsonException e)
        {
            throw Bad($"its header is not valid JSON ({e.Message})");
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Bad("its header is no JSON object");
            foreach (JsonProperty item in document.RootElement.EnumerateObject())
            {
                if (item.Name == "__metadata__")
                {
                    Metadata = item.Value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString());
                    continue;
                }
                if (!_entries.TryAdd(item.Name, ParseEntry(item, dataLength))) throw Bad($"'{item.Name}' occurs twice");
            }
        }
        long at = 0;
        foreach (SafetensorsEntry entry in _entries.Values.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin < at) throw Bad($"'{entry.Name}' overlaps the tensor before it");
            if (entry.Begin > at) throw Bad($"there is a hole of {entry.Begin - at} bytes before '{entry.Name}'");
            at = entry.End;
        }
        if (at != dataLength) throw Bad($"its tensors end at byte {at} of {dataLength}: the file is {(at > dataLength ? "truncated" : "longer than its header says")}");
    }

    private SafetensorsEntry ParseEntry(JsonProperty item, long dataLength)
    {
        try
        {
            string typeName = item.Value.GetProperty("dtype").GetString() ?? "";
            (string Name, ScalarType Dtype, int Bytes) type = Array.Find(Types, t => t.Name == typeName);
            if (type.Name is null) throw Bad($"'{item.Name}' has the dtype '{typeName}', which is not read here; known are {string.Join(", ", Types.Select(t => t.Name))} (8-bit and quantised checkpoints: use the 16-bit file they were made from)");
            long[] shape = [.. item.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64())];
            long[] offsets = [.. item.Value.GetProperty("data_offsets").EnumerateArray().Select(n => n.GetInt64())];
            if (shape.Any(n => n < 0)) throw Bad($"'{item.Name}' has a negative size");
            long bytes = shape.Aggregate((long)type.Bytes, (a, b) => checked(a * b));
            if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) throw Bad($"'{item.Name}' has unusable offsets");
            if (offsets[1] > dataLength) throw Bad($"'{item.Name}' ends at byte {offsets[1]}, the data has {dataLength}: the file is truncated");
            if (offsets[1] - offsets[0] != bytes) throw Bad($"'{item.Name}' of shape {Shape.Text(shape)} needs {bytes} bytes and has {offsets[1] - offsets[0]}");
            return new SafetensorsEntry(item.Name, type.Dtype, shape, offsets[0], offsets[1]);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or OverflowException)
        {
            throw Bad($"the entry of '{item.Name}' is malformed ({e.Message})");
        }
    }

    private void ReadExactly(Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            int read = RandomAccess.Read(_handle, target, offset);
            if (read == 0) throw Bad("it ended while it was read");
            target = target[read..];
            offset += read;
        }
    }

    private ModelFormatException Bad(string reason) => new($"{Path} cannot be read as a safetensors file: {reason}.");
}
