using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Weights;

/// <summary>
/// Reads and writes safetensors files: eight bytes of header length, a JSON header, raw little-endian data. Everything in
/// the header is checked against the file before a byte of data is read, so a malformed file is refused, never half loaded.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>The most axes of a tensor: libtorch's own limit.</summary>
    public const int MostAxes = 64;

    /// <summary>The most tensors of a file, about a hundred times those of a complete model.</summary>
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

    // What the format knows beyond them; types of less than a byte are not counted.
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
            // Only now: a sound header may well be 0x..80 bytes long.
            if (declared > MaximumHeader || (long)declared > length - 8)
                throw Bad(
                    ForeignContent.Of(ReadStart(length)) is { } other
                        ? $"it is {other}"
                        : $"its header claims {declared} bytes, the file has {length - 8} after the length, and a header {MaximumHeader} at most"
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

    /// <summary>What the file holds, in file order.</summary>
    public IReadOnlyCollection<SafetensorsEntry> Entries => _entries.Values;

    /// <summary>Free-form strings of the header's __metadata__.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private set; } = new Dictionary<string, string>();

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="ModelFormatException">
    /// The file is missing, no regular file, truncated, malformed or no safetensors file; the message has file, place and reason.
    /// </exception>
    public static SafetensorsFile Open(string path) => new(path);

    /// <summary>True if the file holds a tensor of that name.</summary>
    public bool Has(string name) => _entries.ContainsKey(name);

    /// <summary>The entry of that name.</summary>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public SafetensorsEntry Entry(string name) =>
        _entries.TryGetValue(name, out SafetensorsEntry? entry) ? entry : throw Bad($"it holds no tensor '{Excerpt.Of(name)}'");

    /// <summary>Reads one tensor.</summary>
    /// <returns>A CPU tensor in the file's dtype; owned by the caller's dispose scope.</returns>
    /// <exception cref="ModelFormatException">There is no such tensor, its type is not read here, or the file ends early.</exception>
    public Tensor Read(string name) => Read(name, PieceBytes);

    /// <summary>Reads one tensor in pieces: a span over native memory holds 2 GiB at most.</summary>
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

    /// <summary>Reads some of a tensor's bytes, as they lie in the file.</summary>
    /// <param name="entry">An entry of this file.</param>
    /// <param name="offset">First byte, counted from the tensor's first.</param>
    /// <param name="target">Receives the bytes.</param>
    /// <exception cref="ModelFormatException">The range leaves the tensor, or the file ends early.</exception>
    public void ReadBytes(SafetensorsEntry entry, long offset, Span<byte> target)
    {
        if (offset < 0 || offset > entry.End - entry.Begin - target.Length)
            throw Bad($"bytes {offset} to {offset + target.Length} of '{Excerpt.Of(entry.Name)}' were asked for, it has {entry.End - entry.Begin}");
        ReadExactly(target, _dataStart + entry.Begin + offset);
    }

    /// <summary>Bytes of one element.</summary>
    internal static int BytesOf(ScalarType dtype) => Array.Find(Types, t => t.Dtype == dtype).Bytes;

    /// <summary>The type of that name; null where it is not read here.</summary>
    internal static ScalarType? TypeOf(string name) => Array.Find(Types, t => t.Name == name) is { Name: not null } type ? type.Dtype : null;

    /// <summary>Why a type is not read: the rest of a sentence that begins with the tensor.</summary>
    internal static string Unreadable(string typeName) =>
        $"has the dtype '{Excerpt.Of(typeName)}', which is not read here; known are {string.Join(", ", Types.Select(t => t.Name))} (8-bit and quantised "
        + "checkpoints: use the 16-bit file they were made from)";

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
            throw Bad("its header is no JSON object");
        foreach (JsonProperty item in root.EnumerateObject())
        {
            if (item.NameEquals("__metadata__"u8))
            {
                Metadata = ParseMetadata(item.Value);
                continue;
            }
            string name = item.Name;
            if (name.Length > LongestName)
                throw Bad($"the name '{Excerpt.Of(name)}' has {name.Length} characters, and {LongestName} at most are read");
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
                throw Bad($"there is a hole of {entry.Begin - at} bytes before '{Excerpt.Of(entry.Name)}'");
            at = entry.End;
        }
        if (at != dataLength)
            throw Bad($"its tensors end at byte {at} of {dataLength}: the file is {(at > dataLength ? "truncated" : "longer than its header says")}");
    }

    // The reference reader takes null as none, and texts only.
    private Dictionary<string, string> ParseMetadata(JsonElement json)
    {
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        if (json.ValueKind == JsonValueKind.Null)
            return metadata;
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad($"its __metadata__ is {Excerpt.Of(json.GetRawText())}, where an object of texts is needed");
        foreach (JsonProperty item in json.EnumerateObject())
        {
            if (item.Value.ValueKind != JsonValueKind.String)
                throw Bad($"'{Excerpt.Of(item.Name)}' in its __metadata__ is {Excerpt.Of(item.Value.GetRawText())}, where a text is needed");
            metadata.Add(item.Name, item.Value.GetString()!);
        }
        return metadata;
    }

    private SafetensorsEntry ParseEntry(string name, JsonElement json, long dataLength)
    {
        string quoted = $"'{Excerpt.Of(name)}'";
        if (json.ValueKind != JsonValueKind.Object)
            throw Bad($"the entry of {quoted} is {Excerpt.Of(json.GetRawText())}, where dtype, shape and data_offsets are needed");
        if (!json.TryGetProperty("dtype", out JsonElement dtype) || dtype.ValueKind != JsonValueKind.String)
            throw Bad($"the entry of {quoted} has no text dtype");
        string typeName = dtype.GetString()!;
        long[] shape = Numbers("shape", MostAxes),
            offsets = Numbers("data_offsets", 2);
        if (shape.Any(n => n < 0))
            throw Bad($"{quoted} has a negative size");
        if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0])
            throw Bad($"{quoted} has unusable offsets");
        if (offsets[1] > dataLength)
            throw Bad($"{quoted} ends at byte {offsets[1]}, the data has {dataLength}: the file is truncated");
        // Of a type that is not known the size cannot be checked; nothing reads its numbers.
        int size = Array.Find(Types, t => t.Name == typeName) is { Name: not null } known ? known.Bytes : Array.Find(OtherTypes, t => t.Name == typeName).Bytes;
        if (Size(shape, Math.Max(size, 1)) is not { } bytes)
            throw Bad($"{quoted} of shape {Shape.Text(shape)} is larger than any memory");
        if (size > 0 && offsets[1] - offsets[0] != bytes)
            throw Bad($"{quoted} of shape {Shape.Text(shape)} needs {bytes} bytes and has {offsets[1] - offsets[0]}");
        return new SafetensorsEntry(name, typeName, shape, offsets[0], offsets[1]);

        long[] Numbers(string field, int most)
        {
            if (!json.TryGetProperty(field, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
                throw Bad($"the entry of {quoted} has no list {field}");
            int count = list.GetArrayLength();
            if (count > most)
                throw Bad($"the {field} of {quoted} has {count} numbers, and {most} at most");
            return
            [
                .. list.EnumerateArray()
                    .Select(n =>
                        n.ValueKind == JsonValueKind.Number && n.TryGetInt64(out long value)
                            ? value
                            : throw Bad($"the {field} of {quoted} has {Excerpt.Of(n.GetRawText())}, where a whole number of 64 bits is needed")
                    ),
            ];
        }
    }

    // Bytes of a shape; null where they overflow, also behind an axis of length 0: strides are computed from all axes.
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
                throw Bad("it ended while it was read");
            target = target[read..];
            offset += read;
        }
    }

    private ModelFormatException Bad(string reason) => new($"{Path} cannot be read as a safetensors file: {reason}.");
}
