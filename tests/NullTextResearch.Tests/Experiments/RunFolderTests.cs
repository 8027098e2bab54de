using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Experiments;

public sealed class RunFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nulltext-run-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static RgbImage Image(byte value) => new(2, 2, [.. Enumerable.Repeat(value, 12)]);

    private static InversionManifest Manifest(string key = "k") => new()
    {
        Key = key,
        Model = "toy",
        ModelIdentity = "i",
        Image = "a.png",
        ImageSize = 2,
        Prompt = "a cat",
        Method = "null-text inversion",
        Steps = 2,
        GuidanceScale = 7.5,
        Psnr = double.PositiveInfinity,
    };

    private static InversionResult Result(bool everything)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return new InversionResult
        {
            Method = "null-text inversion",
            GuidanceScale = 7.5,
            StartLatents = randn(1, 4, 2, 2).DetachFromDisposeScope(),
            Conditional = StepEmbeddings.Constant(randn(1, 3, 5)),
            Unconditional = StepEmbeddings.PerStep(randn(2, 1, 3, 5)),
            Offsets = everything ? randn(2, 4, 2, 2).unsqueeze(1).DetachFromDisposeScope() : null,
            Reconstruction = everything ? randn(1, 4, 2, 2).DetachFromDisposeScope() : null,
            Pivot = everything ? new PivotTrajectory([randn(1, 4, 2, 2), randn(1, 4, 2, 2), randn(1, 4, 2, 2)]) : null,
            Optimisation = [[new StepOptimisation([0.5, 0.25], StopReason.InnerStepLimit), new StepOptimisation([1e-6], StopReason.EarlyStop)]],
            EvaluationsPerImage = 9,
            Elapsed = TimeSpan.FromSeconds(2),
            Options = NullTextOptions.Default,
        };
    }

    [Fact]
    public void ModelIdentity_WithAnotherVariantBesideIt_IsTheSame_WithOtherWeightsNot()
    {
        string folder = Path.Combine(_root, "model"), elsewhere = Path.Combine(_root, "moved");
        ModelFiles.WriteFolder(folder, OriginalModel.TinyV1, hollow: true);
        string identity = RunFolder.ModelIdentity(ModelSource.Find(folder));
        ModelFiles.WriteFolder(folder, OriginalModel.TinyV1, ScalarType.Float16, "fp16", hollow: true);
        Assert.Equal(identity, RunFolder.ModelIdentity(ModelSource.Find(folder)));
        Assert.NotEqual(identity, RunFolder.ModelIdentity(ModelSource.Find(folder, new ModelLoadOptions { Variant = "fp16" })));
        Directory.Move(folder, elsewhere);
        Assert.Equal(identity, RunFolder.ModelIdentity(ModelSource.Find(elsewhere)));
        using (FileStream weights = File.OpenWrite(Path.Combine(elsewhere, "vae", "diffusion_pytorch_model.safetensors")))
        {
            weights.Seek(-1, SeekOrigin.End);
            weights.WriteByte(1);
        }
        Assert.NotEqual(identity, RunFolder.ModelIdentity(ModelSource.Find(elsewhere)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_WhatSaveWrote_IsTheSame(bool everything)
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        using InversionResult saved = Result(everything);
        folder.Save(saved, Manifest(), Image(1), Image(2), Image(3));
        Assert.True(folder.IsComplete);
        Assert.Equal(double.PositiveInfinity, folder.ReadManifest().Psnr);
        using InversionResult loaded = folder.Load();
        Assert.Equal(saved.StartLatents.data<float>().ToArray(), loaded.StartLatents.data<float>().ToArray());
        Assert.False(loaded.Conditional.IsPerStep);
        Assert.True(loaded.Unconditional.IsPerStep);
        Assert.Equal(saved.Unconditional.Values.data<float>().ToArray(), loaded.Unconditional.Values.data<float>().ToArray());
        Assert.Equal(saved.Offsets?.data<float>().ToArray(), loaded.Offsets?.data<float>().ToArray());
        Assert.Equal(saved.Reconstruction?.data<float>().ToArray(), loaded.Reconstruction?.data<float>().ToArray());
        Assert.Equal(saved.Pivot?.Clean.data<float>().ToArray(), loaded.Pivot?.Clean.data<float>().ToArray());
        Assert.Equal(saved.Pivot?.Steps, loaded.Pivot?.Steps);
        Assert.Equal([0.5, 0.25], loaded.Optimisation[0][0].Losses);
        Assert.Equal(StopReason.EarlyStop, loaded.Optimisation[0][1].Stop);
        Assert.Equal(3, ImageFile.Load(folder.ReconstructionPath).Rgb[0]);
    }

    [Fact]
    public void Load_TensorsOfAnotherRun_AreRefused()
    {
        RunFolder one = new(Path.Combine(_root, "one")), two = new(Path.Combine(_root, "two"));
        using InversionResult result = Result(false);
        one.Save(result, Manifest("k1"), Image(1), Image(2), Image(3));
        two.Save(result, Manifest("k2"), Image(1), Image(2), Image(3));
        File.Copy(Path.Combine(one.Path, "inversion.safetensors"), Path.Combine(two.Path, "inversion.safetensors"), overwrite: true);
        Assert.Contains("another run", Assert.Throws<RunFolderException>(() => two.Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadManifest_OfANewerVersion_IsRefused()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        using InversionResult result = Result(false);
        folder.Save(result, Manifest() with { Version = 99 }, Image(1), Image(2), Image(3));
        Assert.Contains("version 99", Assert.Throws<RunFolderException>(() => folder.ReadManifest()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryLoadState_SavedState_ComesBackForItsKeyOnly()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using PivotTrajectory pivot = new([randn(1, 4, 2, 2), randn(1, 4, 2, 2), randn(1, 4, 2, 2)]);
        NullTextState state = new()
        {
            Embeddings = [randn(1, 3, 5)],
            Latents = randn(1, 4, 2, 2),
            Pivot = pivot,
            Optimisation = [[new StepOptimisation([0.1 + 0.2], StopReason.InnerStepLimit)]],
            Forwards = 12,
            Backwards = 3,
            Elapsed = TimeSpan.FromTicks(12345),
        };
        folder.SaveState("key", state);
        Assert.False(folder.TryLoadState("other", null, out _));
        Assert.True(folder.TryLoadState("key", null, out SavedNullTextState? saved));
        using (saved)
        {
            Assert.Equal((1, 12L, 3L, 12345L), (saved.State.StepsDone, saved.State.Forwards, saved.State.Backwards, saved.State.Elapsed.Ticks));
            Assert.Equal(state.Embeddings[0].data<float>().ToArray(), saved.State.Embeddings[0].data<float>().ToArray());
            Assert.Equal(state.Latents.data<float>().ToArray(), saved.State.Latents.data<float>().ToArray());
            Assert.Equal(pivot.Noisiest.data<float>().ToArray(), saved.State.Pivot.Noisiest.data<float>().ToArray());
            Assert.Equal(0.1 + 0.2, saved.State.Optimisation[0][0].Losses[0]);
        }
    }

    [Fact]
    public void TryLoadState_DamagedFile_StartsAnew()
    {
        Directory.CreateDirectory(Path.Combine(_root, "run"));
        File.WriteAllText(Path.Combine(_root, "run", "state.safetensors"), "cut off");
        Assert.False(new RunFolder(Path.Combine(_root, "run")).TryLoadState("key", null, out _));
    }

    [Fact]
    public void SaveAndLoad_InALoop_LeaveNoTensors()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        using InversionResult result = Result(true);
        folder.Save(result, Manifest(), Image(1), Image(2), Image(3));
        folder.Load().Dispose();
        long before = TensorAssert.Live;
        for (int i = 0; i < 3; i++)
        {
            folder.Save(result, Manifest(), Image(1), Image(2), Image(3));
            folder.Load().Dispose();
        }

        Assert.Equal(before, TensorAssert.Live);
    }

    [Fact]
    public void Key_AnyIngredientChanged_IsAnother()
    {
        string Key(byte pixel = 1, string prompt = "p", string model = "m", string method = "n", int steps = 5, double w = 7.5, NullTextOptions? options = null) =>
            RunFolder.Key(Image(pixel), prompt, model, method, steps, w, options ?? NullTextOptions.Default);
        string[] keys =
        [
            Key(), Key(pixel: 2), Key(prompt: "q"), Key(model: "o"), Key(method: "ddim"), Key(steps: 6), Key(w: 1), Key(options: NullTextOptions.Paper),
            Key(options: new NullTextOptions { InnerSteps = 3 }),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(Key(), Key());
    }

    [Fact]
    public void AddEdit_Failing_LeavesNothing()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        Assert.EndsWith("001", folder.AddEdit(into => File.WriteAllText(Path.Combine(into, "x"), "")), StringComparison.Ordinal);
        Assert.Throws<IOException>(() => folder.AddEdit(_ => throw new IOException("full")));
        Assert.EndsWith("002", folder.AddEdit(_ => { }), StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetDirectories(Path.Combine(folder.Path, "edits")).Length);
    }
}
