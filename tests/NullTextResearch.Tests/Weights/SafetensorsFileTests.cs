using System.Buffers.Binary;
using System.Text;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Weights;

/// <summary>Files that others made: what is refused, with which words, and at what cost.</summary>
public sealed class SafetensorsFileTests : IDisposable
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-safetensors-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> OddKinds => [.. OddPlaces.Kinds.Keys];

    [Fact]
    public void Open_MetadataNull_IsNone() => Assert.Empty(Opened(Good.Insert(1, "\"__metadata__\":null,")).Metadata);

    [Theory]
    [InlineData("5", "__metadata__ is 5")]
    [InlineData("\"x\"", "__metadata__ is \"x\"")]
    [InlineData("[]", "__metadata__ is []")]
    [InlineData("{\"k\":1}", "'k' in its __metadata__ is 1")]
    [InlineData("{\"k\":null}", "'k' in its __metadata__ is null")]
    [InlineData("{\"k\":\"1\",\"k\":\"2\"}", "the name 'k' appears twice")]
    [InlineData("{\"k\":\"\\ud800\"}", "half a character")]
    [InlineData("{\"\\udc00\":\"v\"}", "half a character")]
    public void Open_MetadataThatAreNoTexts_AreRefusedWithThePlace(string metadata, string says) =>
        Refused(Good.Insert(1, $"\"__metadata__\":{metadata},"), says);

    [Theory]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "half a character")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        "the name 'a' appears twice"
    )]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8]}}""", "the name 'dtype' appears twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4611686018427387904],"data_offsets":[0,0]}}""", "larger than any memory")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2,9223372036854775807],"data_offsets":[0,8]}}""", "larger than any memory")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}""", "the shape of 'a' has 1.5")]
    [InlineData("""{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}""", "the shape of 'a' has 9223372036854775808")]
    [InlineData("""{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", "no list shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", "has 3 numbers")]
    [InlineData("""{"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}}""", "no dtype string")]
    [InlineData("""{"a":7}""", "the entry of 'a' is 7")]
    [InlineData("""[]""", "not a JSON object")]
    [InlineData("""{"a":{"dtype":"X9","shape":[-1],"data_offsets":[0,8]}}""", "negative")]
    public void Open_EntryThatMakesNoSense_IsRefusedWithThePlace(string header, string says) => Refused(header, says);

    [Fact]
    public void Open_NameThatIsNoUtf8_IsRefusedWithTheByte()
    {
        string path = Path.Combine(_folder, "x.safetensors");
        byte[] header = Encoding.UTF8.GetBytes(Good);
        header[2] = 0xFF;
        Write(path, header, 8);
        Assert.Contains("byte 2 is not UTF-8", Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_TooManyAxesOrTensorsOrTooLongAName_IsRefused()
    {
        Refused(
            $$$"""{"a":{"dtype":"F32","shape":[{{{string.Join(',', Enumerable.Repeat(1, 65))}}}],"data_offsets":[0,4]}}""",
            "the shape of 'a' has 65 numbers; at most 64 are allowed"
        );
        Refused($$$"""{"{{{new string('n', 1001)}}}":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""", "has 1001 characters");
        Refused(
            "{"
                + string.Join(
                    ',',
                    Enumerable
                        .Range(0, SafetensorsFile.MostTensors + 1)
                        .Select(i =>
                            $$"""
                                "{{i}}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}
                                """
                        )
                )
                + "}",
            "more than 100000 tensors"
        );
    }

    /// <summary>Work is counted in bytes allocated: times differ from machine to machine.</summary>
    [Theory]
    [InlineData("numbers in a shape")]
    [InlineData("empty tensors")]
    [InlineData("names in one object")]
    [InlineData("brackets")]
    public void Open_HostileHeaderOf100Megabytes_CostsLittleMoreThanReadingIt(string of)
    {
        const int Size = 99_000_000;
        byte[] header = new byte[Size];
        header.AsSpan().Fill((byte)' ');
        (string before, string item) = of switch
        {
            "numbers in a shape" => ("{\"a\":{\"dtype\":\"F32\",\"shape\":[1", ",1"),
            "empty tensors" => (
                "{\"-\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
                ",\"#\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}"
            ),
            "names in one object" => ("{\"-\":{\"-\":0", ",\"#\":0"),
            _ => ("{\"a\":", "["),
        };
        int at = Encoding.UTF8.GetBytes(before, header);
        for (int i = 0; at < Size - 100; i++)
            at += Encoding.UTF8.GetBytes(
                item.Contains('#', StringComparison.Ordinal) ? item.Replace("#", $"{i}", StringComparison.Ordinal) : item,
                header.AsSpan(at)
            );
        string path = Path.Combine(_folder, "hostile.safetensors");
        Write(path, header, 0);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path));
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Contains("hostile.safetensors", e.Message, StringComparison.Ordinal);
        Assert.InRange(e.Message.Length, 1, 1000);
        Assert.InRange(allocated, Size, 3L * Size);
    }

    [Fact]
    public void Open_TypesThatAreNotRead_AreKeptAndRefusedWhenRead()
    {
        using (
            SafetensorsFile file = Opened(
                """
                {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"global_step":{"dtype":"U32","shape":[],"data_offsets":[4,8]},"mark":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[8,8]},"new":{"dtype":"\u001b]0;t","shape":[3],"data_offsets":[8,8]}}
                """
            )
        )
        {
            Assert.Equal(["a"], file.Entries.Where(e => e.IsReadable).Select(e => e.Name));
            using Tensor a = file.Read("a");
            Assert.Contains(
                "'global_step' has the dtype 'U32'",
                Assert.Throws<ModelFormatException>(() => file.Read("global_step")).Message,
                StringComparison.Ordinal
            );
            Assert.Contains("16-bit", Assert.Throws<ModelFormatException>(() => file.Entry("mark").Dtype).Message, StringComparison.Ordinal);
        }
        Refused("""{"s":{"dtype":"U64","shape":[2],"data_offsets":[0,8]}}""", "needs 16 bytes but has 8");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    [InlineData(1 << 20)]
    public void Read_InPieces_IsTheWholeTensor(int pieceBytes)
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "p.safetensors");
        Tensor value = ScalarArithmetic.Range(35, ScalarType.Float32).reshape(5, 7);
        SafetensorsFile.Write(
            path,
            new Dictionary<string, Tensor>
            {
                ["value"] = value,
                ["none"] = zeros(0, 3),
                ["scalar"] = tensor(2.5f),
            }
        );
        using SafetensorsFile file = SafetensorsFile.Open(path);
        TensorAssert.Close(value, file.Read("value", pieceBytes), 0);
        Assert.Equal([0, 3], file.Read("none", pieceBytes).shape);
        Assert.Equal(2.5f, file.Read("scalar", pieceBytes).item<float>());
    }

    [Theory]
    [MemberData(nameof(OddKinds))]
    public void Open_NoRegularFile_SaysWhatItIs(string kind)
    {
        string path = Path.Combine(_folder, "odd.safetensors");
        OddPlaces.Put(path, kind);
        string message = OddPlaces.Within(() => Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Message);
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(OddPlaces.Kinds[kind], message, StringComparison.Ordinal);
        Assert.Contains(
            OddPlaces.Kinds[kind],
            OddPlaces.Within(() => Assert.Throws<ModelFormatException>(() => Checkpoint.Open(path)).Message),
            StringComparison.Ordinal
        );
        string index = Path.Combine(_folder, "odd.json");
        OddPlaces.Put(index, kind);
        Assert.Contains(
            OddPlaces.Kinds[kind],
            OddPlaces.Within(() => Assert.Throws<ModelFormatException>(() => Checkpoint.Open(index)).Message),
            StringComparison.Ordinal
        );
        Assert.Contains(
            OddPlaces.Kinds[kind],
            OddPlaces.Within(() => Assert.Throws<ModelFormatException>(() => ConfigReader.FromFile(index)).Message),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("<!DOCTYPE html><html><head><title>Sign in</title>", "a web page")]
    [InlineData("  <html>\n", "a web page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "a Git LFS pointer")]
    [InlineData("{\"error\":\"Invalid credentials\"}", "error message")]
    [InlineData("PK\u0003\u0004aaaaaaaaaaaaaaaa", "pickle")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "zeros")]
    public void Open_AnotherKindOfContent_SaysWhatItIsAndWhatToDo(string content, string says)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        File.WriteAllText(path, content);
        string message = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html><body>404</body></html>", "a web page")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "a Git LFS pointer")]
    [InlineData("{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}", "the name 'a' appears twice")]
    [InlineData("{\"weight_map\":{\"a\":\"x\\u0000.safetensors\"}}", "names the shard")]
    [InlineData("{\"weight_map\":{\"a\":\"\\ud800.safetensors\"}}", "half a character")]
    [InlineData("{\"weight_map\":{\"a\":5}}", "weight_map")]
    [InlineData("{\"weight_map\":[]}", "weight_map")]
    [InlineData("{}", "weight_map")]
    [InlineData("[]", "expected a JSON object")]
    public void Open_DamagedIndex_IsRefusedWithFileAndPlace(string content, string says)
    {
        string path = Path.Combine(_folder, "model.safetensors.index.json");
        File.WriteAllText(path, content);
        string message = Assert.Throws<ModelFormatException>(() => Checkpoint.Open(path)).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("state_dict.")]
    [InlineData("module.")]
    [InlineData("module._orig_mod.")]
    public void Open_WrappedNames_AreBare(string wrapping)
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "w.safetensors");
        SafetensorsFile.Write(
            path,
            new Dictionary<string, Tensor>
            {
                [wrapping + "a.weight"] = ones(2),
                [wrapping + "b.weight"] = zeros(3),
                ["epoch"] = zeros(1),
            }
        );
        using Checkpoint file = Checkpoint.Open(path);
        Assert.Equal(["a.weight", "b.weight", "epoch"], file.Entries.Select(e => e.Name));
        Assert.Equal(wrapping, file.Wrapping);
        byte[] bytes = new byte[4];
        file.ReadBytes("a.weight", 4, bytes);
        Assert.Equal(1f, BinaryPrimitives.ReadSingleLittleEndian(bytes));
    }

    [Fact]
    public void Open_NameWithAndWithoutTheWrapping_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = Path.Combine(_folder, "w.safetensors");
        SafetensorsFile.Write(
            path,
            new Dictionary<string, Tensor>
            {
                ["module.a"] = ones(2),
                ["module.b"] = ones(2),
                ["a"] = ones(2),
            }
        );
        Assert.Contains(
            "'a' both with and without the prefix 'module.'",
            Assert.Throws<ModelFormatException>(() => Checkpoint.Open(path)).Message,
            StringComparison.Ordinal
        );
    }

    private SafetensorsFile Opened(string header)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        Write(path, Encoding.UTF8.GetBytes(header), 8);
        return SafetensorsFile.Open(path);
    }

    private void Refused(string header, string says)
    {
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => Opened(header));
        Assert.Contains(Path.Combine(_folder, "x.safetensors"), e.Message, StringComparison.Ordinal);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
        Assert.InRange(e.Message.Length, 1, 1000);
    }

    private static void Write(string path, byte[] header, int data)
    {
        using FileStream file = File.Create(path);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
        file.Write(new byte[data]);
    }
}
