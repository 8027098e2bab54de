using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using NullTextResearch.Verification;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Loading;

/// <summary>
/// Stable Diffusion 1.x at full size through files on the disk, against tensors recorded from the original code. Opt-in: NULLTEXT_FULL_SIZE
/// names a folder with 9 GB of room, where the files are left; NULLTEXT_GOLDEN a folder with the recorded sd14_* tensors.
/// </summary>
[Trait("Category", "FullSize")]
public sealed class FullSizeTests
{
    /// <summary>Files with the number of values that each compares: a check that stops comparing fails here.</summary>
    private static readonly (string File, int Compared)[] Single =
    [
        ("sd14_text.safetensors", 1),
        ("sd14_vae.safetensors", 4),
        ("sd14_unet.safetensors", 8),
        ("sd14_blocks.safetensors", 121),
    ];

    [Theory]
    [InlineData("folder")]
    [InlineData("single")]
    public void Load_StableDiffusion1_ComputesWhatTheOriginalComputed(string layout)
    {
        (string folder, string golden) = OptIn();
        using StableDiffusion model = Load(folder, layout, ScalarType.Float32);
        foreach ((string file, int compared) in Single)
            Verify(golden, model, file, compared);
    }

    [Fact]
    public void Load_StableDiffusion1InDouble_ComputesWhatTheOriginalComputed()
    {
        (string folder, string golden) = OptIn();
        using StableDiffusion model = Load(folder, "folder", ScalarType.Float64);
        Verify(golden, model, "sd14_unet_f64.safetensors", 1);
    }

    /// <summary>The source branch of an edit (a batch of two, or four with guidance) against the reconstruction without an edit, at 128 pixels.</summary>
    [Fact]
    public void Edit_SourceBranch_EqualsTheReconstruction()
    {
        (string folder, _) = OptIn();
        using StableDiffusion model = Load(folder, "folder", ScalarType.Float32);
        using DisposeScope scope = NewDisposeScope();
        using InversionResult inversion = new()
        {
            Method = "noise",
            GuidanceScale = 7.5,
            StartLatents = randn([1, 4, 16, 16], generator: new Generator(1)).DetachFromDisposeScope(),
            Conditional = StepEmbeddings.Constant(model.Embed("a cat in the snow")),
            Unconditional = StepEmbeddings.Constant(model.Embed("")),
            EvaluationsPerImage = 0,
            Elapsed = TimeSpan.Zero,
            Options = "none",
        };
        double difference = SourceBranchTests.Difference(model, inversion, "a cat in the snow", "a dog in the snow", 3, SourceBranch.Batched);
        TestContext.Current.SendDiagnosticMessage("relative difference {0:e1}", difference);
        Assert.InRange(difference, 0, SourceBranchTests.Tolerance);
    }

    private static (string Folder, string Golden) OptIn()
    {
        string? folder = Environment.GetEnvironmentVariable("NULLTEXT_FULL_SIZE"),
            golden = Environment.GetEnvironmentVariable("NULLTEXT_GOLDEN");
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder) || string.IsNullOrEmpty(golden),
            "opt-in: set NULLTEXT_FULL_SIZE to a folder with 9 GB of room and NULLTEXT_GOLDEN to the recorded tensors of sd14"
        );
        return (folder, golden);
    }

    private static StableDiffusion Load(string folder, string layout, ScalarType dtype)
    {
        string path = Path.Combine(folder, layout == "single" ? "sd1.safetensors" : "sd1");
        ModelFiles.WriteTokenizer(Path.Combine(folder, "small"));
        if (layout == "single" && !File.Exists(path))
            ModelFiles.WriteOriginal(path, OriginalModel.V1.All());
        if (layout == "folder" && !Directory.Exists(path))
            ModelFiles.WriteFolder(path, OriginalModel.V1, shards: 2);
        return StableDiffusion.Load(path, new ModelLoadOptions { Tokenizer = Path.Combine(folder, "small"), Dtype = dtype });
    }

    private static void Verify(string golden, StableDiffusion model, string file, int compared)
    {
        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(golden, new VerificationOptions { Files = file, Model = model });
        foreach (VerificationResult result in results)
            TestContext.Current.SendDiagnosticMessage("{0}", result);
        Assert.Empty(results.Where(r => r.Status == VerificationStatus.Fail).Select(r => r.ToString()));
        Assert.Equal(compared, results.Count(r => r.Status == VerificationStatus.Pass));
    }

    /// <summary>Gradient to the embedding at 512 pixels: in segments as from the recorded graph, for less than half the memory.</summary>
    [Fact]
    public void Differentiate_InSegments_EqualsTheRecordedGraphInLessThanHalfTheMemory()
    {
        string? folder = Environment.GetEnvironmentVariable("NULLTEXT_FULL_SIZE");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "opt-in: set NULLTEXT_FULL_SIZE to a folder with 5 GB of room");
        string path = Path.Combine(folder, "sd1");
        if (!Directory.Exists(path))
            ModelFiles.WriteFolder(path, OriginalModel.V1, shards: 2);
        using StableDiffusion model = StableDiffusion.Load(path, new ModelLoadOptions { Memory = new MemoryOptions { Offload = true } });
        using DisposeScope scope = NewDisposeScope();
        FormulaWeights formula = new();
        Tensor latents = formula.Input("input:latents", [1, 4, 64, 64]),
            target = formula.Input("input:target", [1, 4, 64, 64]),
            embedding = model.Embed("a cat").Tokens;
        // The smaller one first: memory that was freed is not given back, and would hide what the second needs.
        (Tensor segments, long few) = Gradient(new MemoryOptions { Checkpointing = true });
        (Tensor recorded, long many) = Gradient(new MemoryOptions());
        double difference = segments.sub(recorded).norm().item<float>() / recorded.norm().item<float>();
        TestContext.Current.SendDiagnosticMessage("relative difference {0:e1}; {1} MiB in segments, {2} MiB recorded", difference, few >> 20, many >> 20);
        Assert.InRange(difference, 0, 1e-5);
        if (OperatingSystem.IsLinux())
            Assert.True(few < many / 2, $"{few >> 20} MiB, {many >> 20} MiB");

        (Tensor, long) Gradient(MemoryOptions memory)
        {
            Native.TrimMemory();
            model.Memory = memory with { Offload = true };
            // 5 makes the kernel forget the peak so far.
            if (OperatingSystem.IsLinux())
                File.WriteAllText("/proc/self/clear_refs", "5");
            long before = ProcessMemory.Resident() ?? 0;
            PredictionGradient result = model
                .Predictor()
                .Differentiate(latents, model.Grid(50).Moves[20], embedding, p => p.sub(target).Squared().flatten(1).mean([1L]));
            long peak = ProcessMemory.Peak() ?? 0;
            return (result.Tokens!, peak - before);
        }
    }
}
