using System.Text.Json.Nodes;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Verification;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Verification;

/// <summary>The library against numbers of the original code, and the verifier against folders that it must not let pass.</summary>
[Trait("Category", "Golden")]
public sealed class GoldenTests
{
    /// <summary>Files of data/golden with the number of values that each compares: a check that stops comparing fails here.</summary>
    public static TheoryData<string, string?, int> Files =>
        new()
        {
            { "manifest.json", null, 382 },
            { "rules", null, 2 },
            { "schedule.safetensors", null, 19 },
            { "tiny_models.safetensors", null, 15 },
            { "tiny_models_f64.safetensors", null, 15 },
            { "tiny_attn.safetensors", null, 6 },
            { "p2p_mappers.safetensors", null, 72 },
            { "p2p_localblend.safetensors", null, 14 },
            { "tiny_algo_10_f64.safetensors", null, 54 },
            // What single precision does otherwise; the rest of the file repeats the one above.
            { "tiny_algo_10_f32.safetensors", "nti.", 8 },
            { "tiny_early_10_f64.safetensors", null, 16 },
            // Blocks of Stable Diffusion at full size, with their gradients.
            { "sd14_gradients.safetensors", null, 12 },
        };

    [Theory]
    [MemberData(nameof(Files))]
    public void Run_EmbeddedReference_Agrees(string file, string? only, int compared)
    {
        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(GoldenTensors.Folder, new VerificationOptions { Files = file, Only = only });

        Assert.Empty(results.Where(r => r.Status == VerificationStatus.Fail).Select(r => r.ToString()));
        Assert.Equal(compared, results.Count(r => r.Status == VerificationStatus.Pass));
    }

    [Fact]
    public void Run_DescribedFileIsMissing_FailsUnlessAllowed()
    {
        using TemporaryGolden folder = new("schedule.safetensors", "tiny_models.safetensors");
        VerificationOptions wanted = new() { Files = "tiny_a*" };

        VerificationResult[] missing = [.. GoldenVerifier.Run(folder.Path, wanted)];
        Assert.NotEmpty(missing);
        Assert.All(missing, r => Assert.Equal(VerificationStatus.Fail, r.Status));
        Assert.Contains("--allow-missing", missing[0].ToString(), StringComparison.Ordinal);
        Assert.All(GoldenVerifier.Run(folder.Path, wanted with { AllowMissing = true }), r => Assert.Equal(VerificationStatus.Skip, r.Status));
        // A deliberate selection asks for nothing else.
        Assert.DoesNotContain(
            GoldenVerifier.Run(folder.Path, new VerificationOptions { Only = "unet.eps.t481" }),
            r => r.Status == VerificationStatus.Fail && r.File.StartsWith("tiny_algo", StringComparison.Ordinal)
        );
        Assert.All(GoldenVerifier.Run(folder.Path, new VerificationOptions { Files = "schedule*" }), r => Assert.NotEqual(VerificationStatus.Fail, r.Status));
    }

    [Fact]
    public void Manifest_OfTheCheckout_DescribesWhatIsShipped()
    {
        string[] described =
        [
            .. JsonNode.Parse(File.ReadAllText(Path.Combine(GoldenTensors.Folder, "manifest.json")))!["files"]!
                .AsObject()
                .Select(f => f.Key)
                .Order(StringComparer.Ordinal),
        ];
        Assert.Equal(Directory.GetFiles(GoldenTensors.Folder, "*.safetensors").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal), described);
    }

    [Fact]
    public void Run_CorruptedReference_FailsThatTensorAlone()
    {
        using TemporaryGolden folder = new("schedule.safetensors", "tiny_models.safetensors");
        folder.Change("tiny_models.safetensors", "unet.eps.t481", t => t[0, 0, 0, 0] = t[0, 0, 0, 0].Plus(1e-3));

        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(folder.Path, new VerificationOptions { Files = "tiny_models.safetensors" });

        VerificationResult failure = Assert.Single(results, r => r.Status == VerificationStatus.Fail);
        Assert.Equal("unet.eps.t481", failure.Tensor);
        Assert.Contains(failure.Measures, m => m.Name == "max_abs" && !m.Holds && Math.Abs(m.Value - 1e-3) < 1e-5);
    }

    [Fact]
    public void Run_NotANumberInReference_Fails()
    {
        using TemporaryGolden folder = new("schedule.safetensors");
        folder.Change("schedule.safetensors", "prev_step_f64", t => t[0, 0, 0, 0] = double.NaN);

        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(folder.Path, new VerificationOptions { Files = "schedule*", Only = "prev_step_f64" });

        Assert.Equal(VerificationStatus.Fail, Assert.Single(results).Status);
    }

    [Fact]
    public void Run_TensorThatNobodyMakes_FailsInsteadOfSkipping()
    {
        using TemporaryGolden folder = new("schedule.safetensors");
        folder.Edit("manifest.json", root => root["files"]!["schedule.safetensors"]!["tensors"]!["mystery"] = new JsonObject());
        folder.Edit("checks.json", root => root["checks"]!["schedule.safetensors"]!["mystery"] = new JsonObject { ["max_abs"] = 1.0 });

        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(folder.Path, new VerificationOptions { Files = "schedule*", Only = "mystery" });

        Assert.Equal(VerificationStatus.Fail, Assert.Single(results).Status);
    }

    [Fact]
    public void Run_UnknownLimit_Fails()
    {
        using TemporaryGolden folder = new("schedule.safetensors");
        folder.Edit("checks.json", root => root["checks"]!["schedule.safetensors"]!["betas"] = new JsonObject { ["max_ulp"] = 4 });

        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(folder.Path, new VerificationOptions { Files = "schedule*", Only = "betas" });

        VerificationResult result = Assert.Single(results);
        Assert.Equal(VerificationStatus.Fail, result.Status);
        Assert.Contains("max_ulp", result.Reason);
    }

    [Fact]
    public void Run_OtherNamePrefix_MakesOtherNetworks()
    {
        using TemporaryGolden folder = new("schedule.safetensors", "tiny_models.safetensors");
        folder.Edit("manifest.json", root => root["name_prefix"] = "other:");

        IReadOnlyList<VerificationResult> weights = GoldenVerifier.Run(
            folder.Path,
            new VerificationOptions { Files = "manifest.json", Only = "weights_check/" }
        );
        IReadOnlyList<VerificationResult> outputs = GoldenVerifier.Run(
            folder.Path,
            new VerificationOptions { Files = "tiny_models.safetensors", Only = "unet.eps" }
        );

        Assert.NotEmpty(weights);
        Assert.All(weights, r => Assert.Equal(VerificationStatus.Fail, r.Status));
        Assert.NotEmpty(outputs);
        Assert.All(outputs, r => Assert.Equal(VerificationStatus.Fail, r.Status));
    }

    [Fact]
    public void Run_OtherLimits_AreHonoured()
    {
        using TemporaryGolden folder = new("schedule.safetensors", "tiny_models.safetensors");
        folder.Edit("checks.json", root => root["checks"]!["tiny_models.safetensors"]!["unet.eps.t1"] = new JsonObject { ["max_abs"] = 1e-12 });

        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(
            folder.Path,
            new VerificationOptions { Files = "tiny_models.safetensors", Only = "unet.eps.t1" }
        );

        VerificationMeasure measure = Assert.Single(Assert.Single(results).Measures);
        Assert.Equal(1e-12, measure.Limit);
        Assert.False(measure.Holds);
    }

    [Fact]
    public void Run_MissingManifest_SaysWhichFile()
    {
        using TemporaryGolden folder = new();
        File.Delete(Path.Combine(folder.Path, "manifest.json"));

        ModelFormatException error = Assert.Throws<ModelFormatException>(() => GoldenVerifier.Run(folder.Path));

        Assert.Contains("manifest.json", error.Message);
    }

    [Fact]
    public void Run_AfterwardsNothingIsAlive()
    {
        long before = TensorAssert.Live;
        GoldenVerifier.Run(GoldenTensors.Folder, new VerificationOptions { Files = "tiny_models.safetensors" });
        Assert.Equal(before, TensorAssert.Live);
    }

    [Theory]
    [InlineData("", 0xCBF29CE484222325)]
    [InlineData("conv_in.weight", 0x1CE69906BDC574A7)]
    public void Hash_KnownText_IsFnv1a(string text, ulong expected) => Assert.Equal(expected, FormulaWeights.Hash(text));

    /// <summary>A copy of part of data/golden that a test may spoil.</summary>
    private sealed class TemporaryGolden : IDisposable
    {
        public TemporaryGolden(params string[] files)
        {
            Directory.CreateDirectory(Path);
            foreach (string file in files.Concat(["manifest.json", "checks.json"]))
                File.Copy(System.IO.Path.Combine(GoldenTensors.Folder, file), System.IO.Path.Combine(Path, file));
        }

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"golden-{Guid.NewGuid():n}");

        public void Edit(string file, Action<JsonNode> change)
        {
            string path = System.IO.Path.Combine(Path, file);
            JsonNode root = JsonNode.Parse(File.ReadAllText(path))!;
            change(root);
            File.WriteAllText(path, root.ToJsonString());
        }

        public void Change(string file, string name, Action<Tensor> change)
        {
            using DisposeScope scope = NewDisposeScope();
            string path = System.IO.Path.Combine(Path, file);
            Dictionary<string, Tensor> tensors = [];
            using (SafetensorsFile open = SafetensorsFile.Open(path))
            {
                foreach (SafetensorsEntry entry in open.Entries)
                    tensors[entry.Name] = open.Read(entry.Name);
            }
            change(tensors[name]);
            SafetensorsFile.Write(path, tensors);
        }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
