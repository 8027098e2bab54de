using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>
/// Reads and writes safetensors files: eight bytes of header length, a JSON header, raw little-endian data. The whole header is checked against the
/// file before any data is read, so a malformed file is rejected, never half loaded.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>Maximum number of axes of a tensor: libtorch's own limit.</summary>
    public const int MostAxes = 64;

    /// <summary>Maximum number of tensors in a file, about a hundred times that of a complete model.</summary>
    public const int MostTensors = 100_000;

    // As in the reference reader.
    private const int MaximumHeader = 100_000_000;
    private const int LongestName = 1000;
    private const int PieceBytes = 1 << 30;

    private static readonly (string Name, ScalarType Dtype, int Bytes)[] Types =
    [
        ("F64", ScalarType.Float64, 8),
        ("F32", ScalarType.Float32, 4),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8),
        ("I32", ScalarType.Int32, 4),
        ("I16", ScalarType.Int16, 2),
        ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1),
        ("BOOL", ScalarType.Bool, 1),
    ];

    // The other types of the format; types smaller than a byte are not included.
    private static readonly (string Name, int Bytes)[] OtherTypes =
    [
        ("U64", 8),
        ("U32", 4),
        ("U16", 2),
        ("C64", 8),
        ("F8_E4M3", 1),
        ("F8_E5M2", 1),
        ("F8_E8M0", 1),
    ];

    private readonly SafeFileHandle _handle;
    private readonly long _dataStart;
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);

    private SafetensorsFile(string path)
    {
        Path = path;
        try
        {
            _handle = RegularFile.Open(path);
        }
        catch (UnreadableFileException e)
        {
            throw ModelFormatException.Of(e);
        }
        try
        {
            long length = RandomAccess.GetLength(_handle);
            byte[] prefix = new byte[8];
            if (length < 8)
                throw Bad(ForeignContent.Of(ReadStart(length)) is { } what ? $"it is {what}" : "it is shorter than the 8 bytes of a header length");
            ReadExactly(prefix, 0);
            ulong declared = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            // Only now: a valid header may well be 0x..80 bytes long.
            if (declared > MaximumHeader || (long)declared > length - 8)
                throw Bad(
                    ForeignContent.Of(ReadStart(length)) is { } other
                        ? $"it is {other}"
                        : $"its header claims {declared} bytes; the file has {length - 8} after the length, and a header at most {MaximumHeader}"
                );
            if (declared == 0)
                throw Bad(ForeignContent.Of(ReadStart(length)) is { } nothing ? $"it is {nothing}" : "its header is empty");
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

    /// <summary>The tensors of the file, in file order.</summary>
    public IReadOnlyCollection<SafetensorsEntry> Entries => _entries.Values;

    /// <summary>Free-form strings of the header's __metadata__.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="ModelFormatException">
    /// The file is missing, not a regular file, truncated, malformed or not a safetensors file; the message gives file, place and reason.
    /// </exception>
    public static SafetensorsFile Open(string path) => new(path);

    /// <summary>True if the file contains a tensor with that name.</summary>
    public bool Has(string name) => _entries.ContainsKey(name);

    /// <summary>The entry with that name.</summary>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public SafetensorsEntry Entry(string name) =>
        _entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw Bad($"it contains no tensor '{Excerpt.Of(name)}'");

    /// <summary>Reads one tensor.</summary>
    /// <returns>A CPU tensor in the file's dtype; owned by the caller's dispose scope.</returns>
    /// <exception cref="ModelFormatException">There is no such tensor, its type is not supported, or the file ends early.</exception>
    public Tensor Read(string name) => Read(name, PieceBytes);

    /// <summary>Reads one tensor in pieces: a span over native memory holds at most 2 GiB.</summary>
    internal Tensor Read(string name, int pieceBytes)
    {
        SafetensorsEntry entry = Entry(name);
        if (!entry.IsReadable)
            throw Bad($"'{Excerpt.Of(name)}' {Unreadable(entry.TypeName)}");
        using DisposeScope scope = NewDisposeScope();
        Tensor tensor = empty([.. entry.Shape], entry.Dtype),
            flat = tensor.view(-1);
        int size = BytesOf(entry.Dtype);
        long count = tensor.numel(),
            most = pieceBytes / size;
        for (long at = 0; at < count; at += most)
            ReadExactly(flat.narrow(0, at, Math.Min(most, count - at)).bytes, _dataStart + entry.Begin + (at * size));
        return tensor.MoveToOuterDisposeScope();
    }

    /// <summary>Reads some of a tensor's bytes, as they are stored in the file.</summary>
    /// <param name="entry">An entry of this file.</param>
    /// <param name="offset">First byte, relative to the start of the tensor.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <exception cref="ModelFormatException">The range exceeds the tensor, or the file ends early.</exception>
    public void ReadBytes(SafetensorsEntry entry, long offset, Span<byte> target)
    {
        if (offset < 0 || offset > entry.End - entry.Begin - target.Length)
            throw Bad($"bytes {offset} to {offset + target.Length} of '{Excerpt.Of(entry.Name)}' were requested, but it has {entry.End - entry.Begin}");
        ReadExactly(target, _dataStart + entry.Begin + offset);
    }

    /// <summary>Bytes of one element.</summary>
    internal static int BytesOf(ScalarType dtype) => Array.Find(Types, t => t.Dtype == dtype).Bytes;

    /// <summary>The type with that name; null if it is not supported.</summary>
    internal static ScalarType? TypeOf(string name) => Array.Find(Types, t => t.Name == name) is { Name: not null } type ? type.Dtype : null;

    /// <summary>Why a type is not supported: the rest of a sentence that begins with the tensor.</summary>
    internal static string Unreadable(string typeName) =>
        $"has the dtype '{Excerpt.Of(typeName)}', which is not supported; supported are {string.Join(", ", Types.Select(t => t.Name))} (8-bit and quantised "
        + "checkpoints: use the 16-bit file they were made from)";

    /// <summary>Writes tensors to a file, completely or not at all.</summary>
    /// <param name="path">Target; an existing file is replaced.</param>
    /// <param name="tensors">Names and tensors; borrowed.</param>
    /// <param name="metadata">Free-form strings for the header; null for none.</param>
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
                foreach ((string key, string value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            long at = 0;
            foreach ((string name, Tensor tensor) in all)
            {
                (string Name, ScalarType Dtype, int Bytes) type = Array.Find(Types, t => t.Dtype == tensor.dtype);
                if (type.Name is null)
                    throw new ArgumentException($"'{name}' has dtype {tensor.dtype}, which safetensors files cannot hold.", nameof(tensors));
                long bytes = tensor.numel() * type.Bytes;
                json.WriteStartObject(name);
                json.WriteString("dtype", type.Name);
                json.WriteStartArray("shape");
                foreach (long n in tensor.shape)
                    json.WriteNumberValue(n);
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
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');

        WholeFile.Write(
            path,
            file =>
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
            }
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private void Parse(byte[] header, long dataLength)
    {
        JsonElement root;
        try
        {
            root = StrictJson.Parse(header);
        }
        catch (JsonException e)
        {
            throw Bad($"its header is not valid JSON ({e.Message.TrimEnd('.')})");
        }
        if (root.ValueKind != JsonValueKind.Object)
            throw Bad("its header is not a JSON object");
        foreach (JsonProperty item in root.EnumerateObject())
        {
            if (item.NameEquals("__metadata__"u8))
            {
                Metadata = ParseMetadata(item.Value);
                continue;
            }
            string name = item.Name;
            if (name.Length > LongestName)
                throw Bad($"the name '{Excerpt.Of(name)}' has {name.Length} characters; at most {LongestName} are supported");
            if (_entries.Count == MostTensors)
                throw Bad($"it has more than {MostTensors} tensors");
            _entries.Add(name, ParseEntry(name, item.Value, dataLength));
        }
        long at = 0;
        foreach (SafetensorsEntry entry in _entries.Values.OrderBy(e => e.Begin).ThenBy(e => e.End))
        {
            if (entry.Begin < at)
                throw Bad($"'{Excerpt.Of(entry.Name)}' overlaps the tensor before it");
            if (entry.Begin > at)
                throw Bad($"there is a gap of {entry.Begin - at} bytes before '{Excerpt.Of(entry.Name)}'");
            at = entry.End;
        }
        if (at != dataLength)
            throw Bad($"its tensors end at byte {at} of {dataLength}: the file is {(at > dataLength ? "truncated" : "longer than its header says")}");
    }

    // The reference reader treats null as absent, and accepts only strings.
    private Dictionary<string, string> ParseMetadata(JsonElement json)
    {
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        if (json.ValueKind == JsonValueKind.Null)
            return metadata;
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad($"its __metadata__ is {Excerpt.Of(json.GetRawText())}; expected an object of strings");
        foreach (JsonProperty item in json.EnumerateObject())
        {
            if (item.Value.ValueKind != JsonValueKind.String)
                throw Bad($"'{Excerpt.Of(item.Name)}' in its __metadata__ is {Excerpt.Of(item.Value.GetRawText())}; expected a string");
            metadata.Add(item.Name, item.Value.GetString()!);
        }
        return metadata;
    }

    private SafetensorsEntry ParseEntry(string name, JsonElement json, long dataLength)
    {
        string quoted = $"'{Excerpt.Of(name)}'";
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad($"the entry of {quoted} is {Excerpt.Of(json.GetRawText())}; expected dtype, shape and data_offsets");
        if (!json.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String)
            throw Bad($"the entry of {quoted} has no dtype string");
        string typeName = dtype.GetString()!;
        long[] shape = Numbers("shape", MostAxes),
            offsets = Numbers("data_offsets", 2);
        if (shape.Any(n => n < 0))
            throw Bad($"{quoted} has a negative size");
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0])
            throw Bad($"{quoted} has invalid offsets");
        if (offsets[1] > dataLength)
            throw Bad($"{quoted} ends at byte {offsets[1]}, but the data has {dataLength}: the file is truncated");
        // The size of an unknown type cannot be checked; nothing reads its numbers.
        int size = Array.Find(Types, t => t.Name == typeName) is { Name: not null } known ? known.Bytes : Array.Find(OtherTypes, t => t.Name == typeName).Bytes;
        if (Size(shape, Math.Max(size, 1)) is not { } bytes)
            throw Bad($"{quoted} of shape {Shape.Text(shape)} is larger than any memory");
        if (size > 0 && offsets[1] - offsets[0] != bytes)
            throw Bad($"{quoted} of shape {Shape.Text(shape)} needs {bytes} bytes but has {offsets[1] - offsets[0]}");
        return new SafetensorsEntry(name, typeName, shape, offsets[0], offsets[1]);

        long[] Numbers(string field, int most)
        {
            if (!json.TryGetProperty(field, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
                throw Bad($"the entry of {quoted} has no list {field}");
            int count = list.GetArrayLength();
            if (count > most)
                throw Bad($"the {field} of {quoted} has {count} numbers; at most {most} are allowed");
            return
            [
                .. list.EnumerateArray()
                    .Select(n =>
                        n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out long value)
                            ? value
                            : throw Bad($"the {field} of {quoted} has {Excerpt.Of(n.GetRawText())}; expected a 64-bit whole number")
                    ),
            ];
        }
    }

    // Bytes of a shape; null if they overflow, even after an axis of length 0: strides are computed from all axes.
    private static long? Size(long[] shape, int size)
    {
        Int128 bytes = size;
        foreach (long n in shape)
        {
            bytes *= Math.Max(n, 1);
            if (bytes > long.MaxValue)
                return null;
        }
        return shape.Contains(0) ? 0 : (long)bytes;
    }

    private byte[] ReadStart(long length)
    {
        byte[] start = new byte[Math.Min(length, ForeignContent.Enough)];
        ReadExactly(start, 0);
        return start;
    }

    private void ReadExactly(Span<byte> target, long offset)
    {
        while (target.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_handle, target, offset);
            }
            catch (IOException e)
            {
                throw new ModelFormatException($"{Path} cannot be read at byte {offset}: {e.Message}", e);
            }
            if (read == 0)
                throw Bad("it ended while being read");
            target = target[read..];
            offset += read;
        }
    }

    private ModelFormatException Bad(string reason) => new($"{Path} cannot be read as a safetensors file: {reason}.");
}
