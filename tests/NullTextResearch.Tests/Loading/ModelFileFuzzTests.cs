using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Loading;

/// <summary>
/// Damaged files of every format that a model is made of: only the documented exceptions, with the file's name, in a message of bounded length, at a cost
/// counted in bytes. NULLTEXT_FUZZ_CASES=N multiplies the number of files by N, NULLTEXT_FUZZ_REPORT=PATH appends each format's line to a file.
/// </summary>
public sealed class ModelFileFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int LongestMessage = 4000;

    private static readonly OriginalModel Valid = OriginalModel.TinyV1.WithVocabulary();
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("safetensors", 1500)]
    [InlineData("weights of a network", 1000)]
    [InlineData("shard index", 1000)]
    [InlineData("single file", 300)]
    [InlineData("yaml beside a file", 100)]
    [InlineData("unet/config.json", 1500)]
    [InlineData("vae/config.json", 1500)]
    [InlineData("text_encoder/config.json", 1500)]
    [InlineData("scheduler_config.json", 1500)]
    [InlineData("vocab.json", 300)]
    [InlineData("merges.txt", 300)]
    [InlineData("tokenizer_config.json", 300)]
    [InlineData("special_tokens_map.json", 300)]
    [InlineData("added_tokens.json", 300)]
    [InlineData("word table", 1500)]
    public void Read_DamagedFile_ThrowsWhatIsDocumentedAndNothingElse(string format, int cases)
    {
        int times = int.TryParse(Environment.GetEnvironmentVariable("NULLTEXT_FUZZ_CASES"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? Math.Clamp(asked, 1, 1000)
            : 1;
        FuzzOutcome outcome = FuzzCampaign.Run(Format(format), cases * times);
        output.WriteLine(outcome.ToString());
        if (Environment.GetEnvironmentVariable("NULLTEXT_FUZZ_REPORT") is { Length: > 0 } report)
        {
            using Process own = Process.GetCurrentProcess();
            File.AppendAllText(
                report,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{outcome}  process {own.PeakWorkingSet64 / 1e6:0} MB\n{string.Concat(outcome.Faults.Select(f => $"    {f}\n"))}"
                )
            );
        }
        Assert.True(outcome.Faults.Count == 0, string.Join('\n', outcome.Faults.Take(10)));
        Assert.Equal(cases * times, outcome.Accepted + outcome.Documented);
        // A campaign in which nothing is refused, or nothing comes through, tries nothing.
        Assert.True(outcome.Documented > 0, "none was refused");
        Assert.True(outcome.Accepted > 0, "none was read");
    }

    private FuzzFormat Format(string name)
    {
        switch (name)
        {
            case "safetensors":
                return Model(
                    name,
                    Small(),
                    (m, file) => m.Safetensors(file),
                    "x.safetensors",
                    path =>
                    {
                        using DisposeScope scope = NewDisposeScope();
                        using SafetensorsFile file = SafetensorsFile.Open(path);
                        foreach (SafetensorsEntry entry in file.Entries.Where(e => e.IsReadable))
                            file.Read(entry.Name);
                    }
                );
            case "weights of a network":
                return Model(
                    name,
                    Small(),
                    (m, file) => m.Safetensors(file),
                    "x.safetensors",
                    path =>
                    {
                        using WeightSet weights = new();
                        weights.Root.Declare("a.weight", [2, 3], WeightInit.FanIn);
                        weights.Root.Declare("b.bias", [4], WeightInit.FanIn);
                        using Checkpoint file = Checkpoint.Open(path);
                        StrictLoad.Load(weights, file, CPU, ScalarType.Float32);
                    }
                );
            case "shard index":
                File.WriteAllBytes(Path.Combine(_folder, "m-1.safetensors"), Single("a.weight"));
                File.WriteAllBytes(Path.Combine(_folder, "m-2.safetensors"), Single("b.bias"));
                return Model(
                    name,
                    Encoding.UTF8.GetBytes("""{"metadata":{"total_size":24},"weight_map":{"a.weight":"m-1.safetensors","b.bias":"m-2.safetensors"}}"""),
                    (m, file) => m.Json(file),
                    "m.safetensors.index.json",
                    path =>
                    {
                        using Checkpoint file = Checkpoint.Open(path);
                        file.ReadBytes("a.weight", 0, new byte[4]);
                    }
                );
            case "single file":
                return SingleFile(name);
            case "yaml beside a file":
                ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
                ModelFiles.WriteHollow(Path.Combine(_folder, "x.safetensors"), Valid.All());
                return Model(
                    name,
                    "model:\n  params:\n    parameterization: \"v\"\n    linear_start: 0.00085\n"u8.ToArray(),
                    (m, file) => m.Lines(file),
                    "x.yaml",
                    _ => ModelSource.Find(Path.Combine(_folder, "x.safetensors"))
                );
            case "unet/config.json":
                return Config(name, json => new UNet2DConditionModel(UNetConfig.Read(json)).Dispose());
            case "vae/config.json":
                return Config(name, json => new AutoencoderKL(VaeConfig.Read(json)).Dispose());
            case "text_encoder/config.json":
                return Config(name, json => new ClipTextModel(ClipTextConfig.Read(json)).Dispose());
            case "scheduler_config.json":
                return Config("scheduler/" + name, json => ModelSource.MakeSchedule(json.Source, ScheduleReader.Read(json, [])));
            case "vocab.json" or "merges.txt" or "tokenizer_config.json" or "special_tokens_map.json" or "added_tokens.json":
                return Tokenizer(name);
            default:
                return new FuzzFormat(
                    name,
                    m =>
                        m.Json(
                            """{"bos": 998, "eos": 999, "pad": 999, "max_length": 8, "words": {"a": ["a"], "cat": ["cat"], "snowy": ["snow", "y"]}, "piece_ids": {"a": 1, "cat": 2, "snow": 5, "y": 6}}"""u8
                        ),
                    mutant => WordTableTokenizer.FromJson(StrictJson.Parse(mutant.Bytes)),
                    e => e is JsonException or ArgumentException && e.Message.Length < LongestMessage,
                    Bytes(0)
                );
        }
    }

    private FuzzFormat Model(string name, byte[] good, Func<FileMutator, byte[], Mutant> damage, string file, Action<string> read)
    {
        string path = Path.Combine(_folder, file);
        return new FuzzFormat(
            name,
            m => damage(m, good),
            mutant =>
            {
                File.WriteAllBytes(path, mutant.Bytes);
                read(path);
            },
            e => e is ModelFormatException or CheckpointMismatchException && Names(e, file, "m-1.safetensors", "m-2.safetensors"),
            Bytes(good.Length)
        );
    }

    private FuzzFormat Config(string file, Action<ConfigReader> read)
    {
        ModelFiles.WriteFolder(_folder, Valid, hollow: true);
        byte[] good = File.ReadAllBytes(Path.Combine(_folder, file));
        string name = Path.GetFileName(file);
        return Model(file, good, (m, bytes) => m.Json(bytes), name, path => read(ConfigReader.FromFile(path))) with
        {
            IsDocumented = e => e is ModelFormatException && Names(e, name),
        };
    }

    // Names and shapes only: the numbers are a hole in the file, as long as those of the sound one.
    private FuzzFormat SingleFile(string name)
    {
        string path = Path.Combine(_folder, "x.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        int length = (int)ModelFiles.WriteHollow(path, Valid.All()) - 8;
        byte[] header = new byte[length];
        long data = new FileInfo(path).Length - 8 - length;
        using (FileStream file = File.OpenRead(path))
        {
            file.Position = 8;
            file.ReadExactly(header);
        }
        return new FuzzFormat(
            name,
            m => m.Json(header),
            mutant =>
            {
                using (FileStream file = File.Create(path))
                {
                    Span<byte> prefix = stackalloc byte[8];
                    BinaryPrimitives.WriteInt64LittleEndian(prefix, mutant.Bytes.Length);
                    file.Write(prefix);
                    file.Write(mutant.Bytes);
                    file.SetLength(8 + mutant.Bytes.Length + data);
                }
                ModelSource.Find(path);
            },
            e => e is ModelFormatException && Names(e, "x.safetensors"),
            Bytes(length)
        );
    }

    private FuzzFormat Tokenizer(string file)
    {
        ModelFiles.WriteTokenizer(_folder);
        int free = Valid.Vocabulary;
        File.WriteAllText(Path.Combine(_folder, "added_tokens.json"), $$"""{"<cat-toy>": {{free}}, "<cat-toy>_1": {{free + 1}}, "Sks": {{free + 2}} }""");
        File.WriteAllText(
            Path.Combine(_folder, "tokenizer_config.json"),
            $$$$"""
            {"model_max_length": 77, "pad_token": {"content": "<|endoftext|>"}, "added_tokens_decoder": {"{{{{free
                + 3}}}}": {"content": "alone", "single_word": true, "lstrip": false}}}
            """
        );
        string path = Path.Combine(_folder, file);
        byte[] good = File.ReadAllBytes(path);
        return new FuzzFormat(
            file,
            m => file == "merges.txt" ? m.Lines(good) : m.Json(good),
            mutant =>
            {
                File.WriteAllBytes(path, mutant.Bytes);
                ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);
                TokenizedPrompt prompt = tokenizer.Tokenize("A red <cat-toy>, alone in the Sks' snow \u00e9\ud83d\udc31");
                foreach (int id in prompt.Ids)
                    tokenizer.DecodePiece(id);
            },
            e => e is TokenizerFileException && Names(e, ".json", ".txt"),
            Bytes(good.Length)
        );
    }

    private static bool Names(Exception e, params string[] files) =>
        e.Message.Length < LongestMessage && files.Any(f => e.Message.Contains(f, StringComparison.Ordinal));

    // So much for the file's own bytes in every form they take, and so much for what stands behind any reader: a vocabulary, a network's declarations.
    private static Func<long, long> Bytes(int good) => length => (64L * Math.Max(length, good)) + 64_000_000;

    private static byte[] Small()
    {
        string header = """
            {"__metadata__":{"format":"pt","note":"x"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b.bias":{"dtype":"F16","shape":[4],"data_offsets":[24,32]},"global_step":{"dtype":"U32","shape":[],"data_offsets":[32,36]},"empty":{"dtype":"I64","shape":[0,7],"data_offsets":[36,36]}}
            """;
        return Framed(header, 36);
    }

    private static byte[] Single(string name) => Framed($$$"""{"{{{name}}}":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", 12);

    private static byte[] Framed(string header, int data)
    {
        byte[] text = Encoding.UTF8.GetBytes(header),
            bytes = new byte[8 + text.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }
}
