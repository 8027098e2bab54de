using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Training;
using NullTextResearch.Verification;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Fuzz;

/// <summary>
/// Damaged files of the kinds that this library writes and reads again: only documented exceptions, and bounded memory. Each kind is also tried with
/// checksums that were made anew after the damage, or in the form from before there were any, so that what lies behind the checksum is tried too.
/// NULLTEXT_FUZZ gives the number of files of each kind, NULLTEXT_FUZZ_REPORT a file that gets the figures.
/// </summary>
public sealed class RunFileFuzzTests : IDisposable
{
    private static readonly ResultKey Key = new("guidance", "image", "a cat on the beach", "weights", "{\"w\":1}", 1);
    private readonly string _root = Directory.CreateTempSubdirectory("nulltext-fuzz-run-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("run manifest")]
    [InlineData("run tensors")]
    [InlineData("run tensors, older form")]
    [InlineData("resume state")]
    [InlineData("resume state, sealed anew")]
    [InlineData("result-cache entry")]
    [InlineData("result values, sealed anew")]
    [InlineData("evaluation store")]
    [InlineData("training checkpoint")]
    [InlineData("training header, sealed anew")]
    [InlineData("golden manifest")]
    [InlineData("golden checks")]
    [InlineData("list of toy images")]
    public void Read_DamagedFile_ThrowsOnlyWhatIsDocumented(string kind)
    {
        int count = int.TryParse(Environment.GetEnvironmentVariable("NULLTEXT_FUZZ"), NumberStyles.None, CultureInfo.InvariantCulture, out int asked)
            ? asked
            : 1000;
        FuzzFormat format = Format(kind) with { Name = kind };
        FuzzOutcome outcome = FuzzCampaign.Run(format, count);
        if (Environment.GetEnvironmentVariable("NULLTEXT_FUZZ_REPORT") is { Length: > 0 } report)
            File.AppendAllText(report, outcome + "\n");
        TestContext.Current.TestOutputHelper?.WriteLine(outcome.ToString());
        Assert.True(outcome.Faults.Count == 0, string.Join('\n', outcome.Faults.Take(10)));
        Assert.True(outcome.Documented > count / 10, outcome.ToString());
    }

    private FuzzFormat Format(string kind)
    {
        RunFolder run = new(Path.Combine(_root, "run"));
        string manifest = Path.Combine(run.Path, "manifest.json"),
            tensors = Path.Combine(run.Path, "inversion.safetensors"),
            state = Path.Combine(run.Path, "state.safetensors");
        switch (kind)
        {
            case "run manifest":
                SaveRun(run);
                return Of(manifest, (m, sound) => m.Json(sound), () => run.ReadManifest(), e => e is RunFolderException && Names(e, manifest));
            case "run tensors":
                SaveRun(run);
                return Of(tensors, (m, sound) => m.Safetensors(sound), () => run.Load().Dispose(), e => e is RunFolderException && Names(e, tensors));
            case "run tensors, older form":
                SaveRun(run);
                JsonObject older = JsonNode.Parse(File.ReadAllText(manifest))!.AsObject();
                older.Remove("tensorChecksum");
                File.WriteAllText(manifest, older.ToJsonString());
                Rewrite(
                    tensors,
                    (all, strings) =>
                    {
                        strings.Remove("sha256");
                        SafetensorsFile.Write(tensors, all, strings);
                    }
                );
                return Of(tensors, (m, sound) => m.Safetensors(sound), () => run.Load().Dispose(), e => e is RunFolderException && Names(e, tensors));
            case "resume state":
                SaveState(run);
                return Of(state, (m, sound) => m.Safetensors(sound), () => LoadState(run), e => e is Refused);
            case "resume state, sealed anew":
                SaveState(run);
                return Of(
                    state,
                    (m, sound) => m.Safetensors(sound),
                    () =>
                    {
                        try
                        {
                            Rewrite(state, (all, strings) => SealedTensors.Write(state, all, strings));
                        }
                        catch (ModelFormatException)
                        {
                            // Damage that leaves no safetensors file: read as it is.
                        }

                        LoadState(run);
                    },
                    e => e is Refused
                );
            case "result-cache entry":
                new ResultCache(_root).Write(Key, Guidance);
                string entry = new ResultCache(_root).PathOf(Key);
                return Of(
                    entry,
                    (m, sound) => m.Json(sound),
                    () => Refused.Unless(new ResultCache(_root).TryRead(Key, out GuidanceRecord _)),
                    e => e is Refused
                );
            case "result values, sealed anew":
                return Values();
            case "evaluation store":
                string store = Path.Combine(_root, "evaluation.json");
                new ResultStore(store, "m").Add("vae/1", 27.5, double.NaN);
                return Of(store, (m, sound) => m.Json(sound), () => Refused.Unless(new ResultStore(store, "m").Damage is null), e => e is Refused);
            case "list of toy images":
                string list = Path.Combine(_root, ToyImageSet.ListName);
                File.Copy(Path.Combine(GoldenTensors.Folder, "..", "images", "toy", ToyImageSet.ListName), list);
                return Of(list, (m, sound) => m.Json(sound), () => ToyImageSet.Read(_root), e => e is InvalidDataException && Names(e, list));
            case "training checkpoint":
            case "training header, sealed anew":
                return Checkpoint(seal: kind != "training checkpoint");
            default:
                string golden = Path.Combine(_root, "golden"),
                    path = Path.Combine(golden, kind == "golden manifest" ? "manifest.json" : "checks.json");
                Directory.CreateDirectory(golden);
                foreach (string name in (string[])["manifest.json", "checks.json"])
                    File.WriteAllText(
                        Path.Combine(golden, name),
                        Few(JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenTensors.Folder, name)))!).ToJsonString()
                    );
                return Of(
                    path,
                    (m, sound) => m.Json(sound),
                    () => GoldenVerifier.Run(golden, new VerificationOptions { Files = "manifest.json", Only = "computes nothing" }),
                    e => e is ModelFormatException && Names(e, path)
                );
        }
    }

    private static FuzzFormat Of(string path, Func<FileMutator, byte[], Mutant> damage, Action read, Func<Exception, bool> documented)
    {
        byte[] sound = File.ReadAllBytes(path);
        return new FuzzFormat(
            Path.GetFileName(path),
            mutator => damage(mutator, sound),
            mutant =>
            {
                using DisposeScope scope = NewDisposeScope();
                File.WriteAllBytes(path, mutant.Bytes);
                read();
            },
            documented,
            bytes => (32L << 20) + (100 * bytes)
        );
    }

    /// <summary>Values of every kind of result, damaged and then sealed: what a program with other records would have left.</summary>
    private FuzzFormat Values()
    {
        EditRecord edit = new("a dog", "swap", [1, 2], 0.5)
        {
            TruthPng = [3],
            PsnrToTruth = 20,
            SourcePsnrToTruth = 10,
            Recognised = true,
        };
        ReconstructionRecord reconstruction = new()
        {
            InnerSteps = 3,
            Psnr = double.PositiveInfinity,
            Png = [1, 2, 3],
            Evaluations = 9,
            Seconds = 2,
        };
        SdEditPoint point = new(0.5, null, 0.25, [4]);
        (byte[] Json, Func<bool> Read)[] kinds =
        [
            Kind(Guidance),
            Kind(reconstruction),
            Kind<ReconstructionRecord[]>([reconstruction, reconstruction with { InnerSteps = 5 }]),
            Kind(new GalleryRecord([1], 20, [2], [edit])),
            Kind(new FaderRecord("night", [edit, edit])),
            Kind(new AttentionRecord(1, 2, [new WordMap("cat", [0, 1], 0.5)], [])),
            Kind(new SdEditRecord("a dog", null, [point], [point])),
        ];
        int turn = 0;
        return new FuzzFormat(
            "values",
            m => m.Json(kinds[turn = (turn + 1) % kinds.Length].Json),
            mutant =>
            {
                // As the cache writes it, around whatever the value has become.
                byte[] key = JsonSerializer.SerializeToUtf8Bytes(Key);
                File.WriteAllBytes(
                    new ResultCache(_root).PathOf(Key),
                    [
                        .. "{\"Key\":"u8,
                        .. key,
                        .. Encoding.UTF8.GetBytes($",\"Sha256\":\"{StoredJson.Checksum(mutant.Bytes)}\",\"Value\":"),
                        .. mutant.Bytes,
                        (byte)'}',
                    ]
                );
                Refused.Unless(kinds[turn].Read());
            },
            e => e is Refused,
            bytes => (32L << 20) + (100 * bytes)
        );

        (byte[] Json, Func<bool> Read) Kind<T>(T value) =>
            (
                JsonSerializer.SerializeToUtf8Bytes(value, StoredJson.Plain),
                () => new ResultCache(_root).TryRead(Key, out T read) && JsonSerializer.Serialize(read, StoredJson.Plain).Length > 0
            );
    }

    private FuzzFormat Checkpoint(bool seal)
    {
        string path = Path.Combine(_root, "unet.checkpoint");
        using Tensor vector = ScalarArithmetic.Range(6, ScalarType.Float32);
        TrainingCheckpoint.Save(
            path,
            new Dictionary<string, double> { ["step"] = 7, ["seconds"] = 1.5 },
            new Dictionary<string, Tensor> { ["values"] = vector }
        );
        byte[] sound = File.ReadAllBytes(path);
        const int Begin = 9 + sizeof(int);
        int header = BitConverter.ToInt32(sound, 9);
        return new FuzzFormat(
            "checkpoint",
            mutator =>
            {
                if (!seal)
                    return mutator.Bytes(sound);
                Mutant text = mutator.Json(sound.AsSpan(Begin, header));
                byte[] body = [.. sound[..9], .. BitConverter.GetBytes(text.Bytes.Length), .. text.Bytes, .. sound[(Begin + header)..^32]];
                return text with { Bytes = [.. body, .. SHA256.HashData(body)] };
            },
            mutant =>
            {
                File.WriteAllBytes(path, mutant.Bytes);
                using Tensor target = zeros(6);
                TrainingCheckpoint.Load(path, new Dictionary<string, Tensor> { ["values"] = target });
            },
            e => e is TrainingFileException && Names(e, path),
            bytes => (32L << 20) + (100 * bytes)
        );
    }

    private static bool Names(Exception e, string path) => e.Message.Contains(path, StringComparison.Ordinal);

    private static GuidanceRecord Guidance { get; } = new(2, new GaussianStatistics(4, -5, 1, double.PositiveInfinity, 3, 0, 0.5, [0, 1], [1, 2]), 20, 15, 30);

    private static void SaveRun(RunFolder run)
    {
        using DisposeScope scope = NewDisposeScope();
        using InversionResult result = new()
        {
            Method = "null-text inversion",
            GuidanceScale = 7.5,
            StartLatents = randn(1, 4, 2, 2),
            Conditional = StepEmbeddings.Constant(randn(1, 3, 5)),
            Unconditional = StepEmbeddings.PerStep(randn(2, 1, 3, 5)),
            Replay = new OffsetReplay(randn([2, 1, 4, 2, 2])),
            Reconstruction = randn(1, 4, 2, 2),
            Pivot = new PivotTrajectory([randn(1, 4, 2, 2), randn(1, 4, 2, 2), randn(1, 4, 2, 2)]),
            Optimisation =
            [
                [new StepOptimisation([0.5, 0.25], StopReason.InnerStepLimit), new StepOptimisation([1e-6], StopReason.EarlyStop)],
            ],
            EvaluationsPerImage = 9,
            Elapsed = TimeSpan.FromSeconds(2),
            Options = NullTextOptions.Default,
        };
        InversionManifest manifest = new()
        {
            Key = "k",
            Model = "toy",
            ModelIdentity = "i",
            Image = "a.png",
            ImageSize = 2,
            Prompt = "a cat",
            Method = result.Method,
            Steps = 2,
            GuidanceScale = 7.5,
            Options = RunFolder.ToJson(NullTextOptions.Default),
            ModelMemory = MemoryOptions.Least,
            ModelPrecision = "fp32",
        };
        RgbImage image = new(2, 2, new byte[12]);
        run.Save(result, manifest, image, image, image);
    }

    private static void SaveState(RunFolder run)
    {
        using DisposeScope scope = NewDisposeScope();
        using PivotTrajectory pivot = new([randn(1, 4, 2, 2), randn(1, 4, 2, 2), randn(1, 4, 2, 2)]);
        run.SaveState(
            "key",
            new NullTextState
            {
                Embeddings = [randn(1, 3, 5)],
                Latents = randn(1, 4, 2, 2),
                Pivot = pivot,
                Optimisation =
                [
                    [new StepOptimisation([0.5], StopReason.InnerStepLimit)],
                ],
                Forwards = 12,
                Backwards = 3,
                Elapsed = TimeSpan.FromSeconds(1),
            }
        );
    }

    private static void LoadState(RunFolder run)
    {
        bool read = run.TryLoadState("key", null, out SavedNullTextState? saved, out string? note);
        saved?.Dispose();
        Assert.Equal(read, note is null);
        Refused.Unless(read);
    }

    private static void Rewrite(string path, Action<IReadOnlyList<KeyValuePair<string, Tensor>>, Dictionary<string, string>> write)
    {
        using DisposeScope scope = NewDisposeScope();
        List<KeyValuePair<string, Tensor>> all;
        Dictionary<string, string> strings;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            all = [.. file.Entries.Select(e => KeyValuePair.Create(e.Name, file.Read(e.Name)))];
            strings = new(file.Metadata);
        }

        write(all, strings);
    }

    /// <summary>The first members of every part: a whole manifest has 400 kB.</summary>
    private static JsonNode Few(JsonNode node)
    {
        if (node is JsonArray array)
            return new JsonArray([.. array.Take(3).Select(item => item is null ? null : Few(item))]);
        if (node is not JsonObject all)
            return node.DeepClone();
        JsonObject few = [];
        foreach ((string name, JsonNode? value) in all.Take(all.ContainsKey("files") ? all.Count : 6))
            few[name] = value is null ? null : Few(value);
        return few;
    }

    /// <summary>Stands for the answer of a reader that throws nothing and says no.</summary>
    private sealed class Refused : Exception
    {
        public static void Unless(bool read)
        {
            if (!read)
                throw new Refused();
        }
    }
}
