using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Experiments;

public sealed class RunFolderTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nulltext-run-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static RgbImage Image(byte value) => new(2, 2, [.. Enumerable.Repeat(value, 12)]);

    private static InversionManifest Manifest(string key = "k") =>
        new()
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
            Replay = everything ? new OffsetReplay(randn(2, 4, 2, 2).unsqueeze(1).DetachFromDisposeScope()) : DdimReplay.Instance,
            Reconstruction = everything ? randn(1, 4, 2, 2).DetachFromDisposeScope() : null,
            Pivot = everything ? new PivotTrajectory([randn(1, 4, 2, 2), randn(1, 4, 2, 2), randn(1, 4, 2, 2)]) : null,
            Optimisation =
            [
                [new StepOptimisation([0.5, 0.25], StopReason.InnerStepLimit), new StepOptimisation([1e-6], StopReason.EarlyStop)],
            ],
            EvaluationsPerImage = 9,
            Elapsed = TimeSpan.FromSeconds(2),
            Options = NullTextOptions.Default,
        };
    }

    [Fact]
    public void ModelIdentity_WithAnotherVariantBesideIt_IsTheSame_WithOtherWeightsNot()
    {
        string folder = Path.Combine(_root, "model"),
            elsewhere = Path.Combine(_root, "moved");
        ModelFiles.WriteFolder(folder, OriginalModel.TinyV1.WithVocabulary(), hollow: true);
        string identity = RunFolder.ModelIdentity(ModelSource.Find(folder));
        ModelFiles.WriteFolder(folder, OriginalModel.TinyV1.WithVocabulary(), ScalarType.Float16, "fp16", hollow: true);
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
        Assert.Equal((saved.Replay as OffsetReplay)?.Offsets.data<float>().ToArray(), (loaded.Replay as OffsetReplay)?.Offsets.data<float>().ToArray());
        Assert.Equal(saved.Reconstruction?.data<float>().ToArray(), loaded.Reconstruction?.data<float>().ToArray());
        Assert.Equal(saved.Pivot?.Clean.data<float>().ToArray(), loaded.Pivot?.Clean.data<float>().ToArray());
        Assert.Equal(saved.Pivot?.Steps, loaded.Pivot?.Steps);
        Assert.Equal([0.5, 0.25], loaded.Optimisation[0][0].Losses);
        Assert.Equal(StopReason.EarlyStop, loaded.Optimisation[0][1].Stop);
        Assert.Equal(3, ImageFile.Load(folder.ReconstructionPath).Rgb[0]);
    }

    [Fact]
    public void Load_ConditionsInParts_AreTheSame()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using InversionResult plain = Result(everything: false);
        using InversionResult saved = new()
        {
            Method = plain.Method,
            GuidanceScale = plain.GuidanceScale,
            StartLatents = plain.StartLatents.clone().DetachFromDisposeScope(),
            Conditional = StepEmbeddings.Constant(new Conditioning(randn(1, 3, 5), randn(1, 7), randn(1, 6), 3.5) { ValueTokens = randn(1, 3, 5) }),
            Unconditional = StepEmbeddings.PerStep(new Conditioning(randn(2, 1, 3, 5), randn(1, 7), randn(1, 6), 3.5)),
            EvaluationsPerImage = 1,
            Elapsed = TimeSpan.FromSeconds(2),
            Options = NullTextOptions.Default,
            Optimisation = plain.Optimisation,
        };
        folder.Save(saved, Manifest(), Image(1), Image(2), Image(3));
        using InversionResult loaded = folder.Load();
        Assert.Equal(3.5, loaded.Unconditional.Stored.DistilledGuidance);
        TensorAssert.Close(saved.Conditional.Stored.ValueTokens!, loaded.Conditional.Stored.ValueTokens!, 0);
        Assert.Null(loaded.Unconditional.Stored.ValueTokens);
        TensorAssert.Close(saved.Conditional.Stored.Pooled!, loaded.Conditional.Stored.Pooled!, 0);
        TensorAssert.Close(saved.Unconditional.Stored.Pooled!, loaded.Unconditional.Stored.Pooled!, 0);
        TensorAssert.Close(saved.Unconditional.Stored.Extra!, loaded.Unconditional.Stored.Extra!, 0);
        TensorAssert.Close(saved.Unconditional.Values, loaded.Unconditional.Values, 0);
    }

    [Fact]
    public void Load_TensorsOfAnotherRun_AreRefused()
    {
        RunFolder one = new(Path.Combine(_root, "one")),
            two = new(Path.Combine(_root, "two"));
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
            Optimisation =
            [
                [new StepOptimisation([0.1 + 0.2], StopReason.InnerStepLimit)],
            ],
            Forwards = 12,
            Backwards = 3,
            Elapsed = TimeSpan.FromTicks(12345),
        };
        folder.SaveState("key", state);
        Assert.False(folder.TryLoadState("other", null, out _, out string? other));
        Assert.Contains("another run", other, StringComparison.Ordinal);
        Assert.True(folder.TryLoadState("key", null, out SavedNullTextState? saved, out string? note));
        Assert.Null(note);
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
    public void TryLoadState_DamagedFile_StartsAnewAndSaysWhy()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        Assert.False(folder.TryLoadState("key", null, out _, out string? note));
        Assert.Null(note);
        Directory.CreateDirectory(folder.Path);
        File.WriteAllText(StateOf(folder), "cut off");
        Assert.False(folder.TryLoadState("key", null, out _, out note));
        Assert.Contains("state.safetensors", note, StringComparison.Ordinal);
        Assert.Contains("damaged", note, StringComparison.Ordinal);
    }

    [Fact]
    public void TryLoadState_AnyByteFlipped_IsNeverTakenForTheState()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        SaveState(folder);
        byte[] good = File.ReadAllBytes(StateOf(folder));
        long before = TensorAssert.Live;
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(StateOf(folder), bad);
            Assert.False(folder.TryLoadState("key", null, out _, out string? note), $"byte {at}");
            Assert.NotNull(note);
        }

        Assert.Equal(before, TensorAssert.Live);
    }

    /// <summary>Sealed anew after the damage: the parts themselves are looked at too.</summary>
    [Theory]
    [InlineData("optimisation", "[]", "steps or images")]
    [InlineData("optimisation", "[null]", "null")]
    [InlineData("optimisation", "[[null]]", "null")]
    [InlineData("optimisation", "{}", "JSON")]
    [InlineData("optimisation", null, "optimisation")]
    [InlineData("counts", "{\"forwards\":-1}", "negative")]
    [InlineData("counts", "null", "JSON")]
    [InlineData("counts", null, "counts")]
    [InlineData("sha256", null, "no checksum")]
    public void TryLoadState_PartsThatDoNotFit_StartsAnew(string name, string? text, string why)
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        SaveState(folder);
        Reseal(
            StateOf(folder),
            metadata =>
            {
                if (text is null)
                    metadata.Remove(name);
                else
                    metadata[name] = text;
            },
            _ => { },
            seal: name != "sha256"
        );
        Assert.False(folder.TryLoadState("key", null, out _, out string? note));
        Assert.Contains(why, note, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ValueThatIsNotFinite_IsRefusedAndNamed()
    {
        RunFolder folder = Saved();
        foreach (string name in (string[])["start_latents", "conditional", "unconditional", "replay.offsets", "reconstruction", "pivot"])
        {
            foreach (double value in (double[])[double.NaN, double.NegativeInfinity])
            {
                folder = Saved();
                // As runs from before there were checksums are: these cannot tell that something has changed.
                Reseal(TensorsOf(folder), m => m.Remove("sha256"), t => t[name].view(-1)[3].Fill(value), seal: false);
                Edit(folder, json => json.Remove("tensorChecksum"));
                RunFolderException refused = Assert.Throws<RunFolderException>(() => folder.Load());
                Assert.Contains($"'{name}' holds a value that is not finite", refused.Message, StringComparison.Ordinal);
                Assert.Contains("invert the image again", refused.Message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("pivot", "scalar")]
    [InlineData("pivot", "fewer")]
    [InlineData("start_latents", "scalar")]
    [InlineData("start_latents", "empty")]
    [InlineData("start_latents", "integers")]
    [InlineData("conditional", "scalar")]
    [InlineData("unconditional", "fewer")]
    [InlineData("replay.offsets", "fewer")]
    [InlineData("reconstruction", "scalar")]
    [InlineData("reconstruction", "doubles")]
    public void Load_TensorOfAnotherShapeOrType_IsRefused(string name, string how)
    {
        RunFolder folder = Saved();
        Edit(folder, json => json.Remove("tensorChecksum"));
        Reseal(
            TensorsOf(folder),
            m => m.Remove("sha256"),
            t =>
                t[name] = how switch
                {
                    "scalar" => tensor(1f),
                    "fewer" => t[name].narrow(0, 0, 1),
                    "empty" => t[name].narrow(0, 0, 0),
                    "integers" => t[name].to(ScalarType.Int32),
                    _ => t[name].to(ScalarType.Float64),
                },
            seal: false
        );
        Assert.Contains($"'{name}'", Assert.Throws<RunFolderException>(() => folder.Load()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[[{\"losses\":null,\"stop\":\"earlyStop\"}]]")]
    [InlineData("[[{\"losses\":[1],\"stop\":\"never\"}]]")]
    [InlineData("[[{\"losses\":[1],\"losses\":[2],\"stop\":\"earlyStop\"}]]")]
    [InlineData("[[{\"losses\":[1]}]]")]
    [InlineData("[[null]]")]
    [InlineData("[null]")]
    public void Load_BadOptimisation_IsRefused(string? text)
    {
        RunFolder folder = Saved();
        Edit(folder, json => json.Remove("tensorChecksum"));
        Reseal(
            TensorsOf(folder),
            m =>
            {
                m.Remove("sha256");
                if (text is null)
                    m.Remove("optimisation");
                else
                    m["optimisation"] = text;
            },
            _ => { },
            seal: false
        );
        Assert.Contains("damaged", Assert.Throws<RunFolderException>(() => folder.Load()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("seconds", "\"NaN\"")]
    [InlineData("seconds", "1e300")]
    [InlineData("seconds", "-1")]
    [InlineData("seconds", "\"soon\"")]
    [InlineData("evaluations", "\"Infinity\"")]
    [InlineData("steps", "0")]
    [InlineData("steps", "2147483648")]
    [InlineData("steps", "1.5")]
    [InlineData("guidanceScale", "\"NaN\"")]
    [InlineData("prompt", "null")]
    [InlineData("prompt", "\"\\ud800\"")]
    [InlineData("prompt", "7")]
    [InlineData("key", "null")]
    [InlineData("imageSize", "\"0x64\"")]
    [InlineData("imageSize", "{}")]
    [InlineData("modelPrecision", "\"int8\"")]
    [InlineData("modelMemory", "{\"vaeTile\":-3}")]
    [InlineData("finished", "\"yesterday\"")]
    [InlineData("method", null)]
    public void ReadManifest_BadField_IsRefused(string field, string? json)
    {
        RunFolder folder = Saved();
        Edit(
            folder,
            manifest =>
            {
                if (json is null)
                    manifest.Remove(field);
                else
                    manifest[field] = System.Text.Json.Nodes.JsonNode.Parse(json.Contains("ud800", StringComparison.Ordinal) ? "\"SURROGATE\"" : json);
            }
        );
        string path = Path.Combine(folder.Path, "manifest.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("SURROGATE", "\\ud800", StringComparison.Ordinal));
        RunFolderException refused = Assert.Throws<RunFolderException>(() => folder.ReadManifest());
        Assert.Contains("manifest.json is damaged", refused.Message, StringComparison.Ordinal);
        Assert.Contains("invert the image again", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("")]
    public void ReadManifest_NoManifestAtAll_IsRefused(string text)
    {
        RunFolder folder = Saved();
        File.WriteAllText(Path.Combine(folder.Path, "manifest.json"), text);
        Assert.Throws<RunFolderException>(() => folder.ReadManifest());
    }

    [Fact]
    public void ReadManifest_FieldTwice_IsRefused()
    {
        RunFolder folder = Saved();
        string path = Path.Combine(folder.Path, "manifest.json"),
            text = File.ReadAllText(path);
        File.WriteAllText(path, text.TrimEnd()[..^1] + ", \"key\": \"other\" }");
        Assert.Contains("key", Assert.Throws<RunFolderException>(() => folder.ReadManifest()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AnyByteOfTheTensorsFlipped_IsRefused()
    {
        RunFolder folder = Saved();
        byte[] good = File.ReadAllBytes(TensorsOf(folder));
        long before = TensorAssert.Live;
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(TensorsOf(folder), bad);
            Assert.Throws<RunFolderException>(() => folder.Load());
        }

        Assert.Equal(before, TensorAssert.Live);
        File.WriteAllBytes(TensorsOf(folder), good);
        folder.Load().Dispose();
    }

    [Fact]
    public void Load_RunFromBeforeThereWereChecksums_IsRead()
    {
        RunFolder folder = Saved();
        Edit(folder, json => json.Remove("tensorChecksum"));
        // The seal of one part alone is no older run.
        Assert.Throws<RunFolderException>(() => folder.Load());
        Reseal(TensorsOf(folder), m => m.Remove("sha256"), _ => { }, seal: false);
        folder.Load().Dispose();
    }

    private RunFolder Saved()
    {
        RunFolder folder = new(Path.Combine(_root, "saved"));
        using InversionResult result = Result(true);
        folder.Save(result, Manifest(), Image(1), Image(2), Image(3));
        return folder;
    }

    private static void SaveState(RunFolder folder)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using PivotTrajectory pivot = new([randn(1, 1, 2, 2), randn(1, 1, 2, 2), randn(1, 1, 2, 2)]);
        folder.SaveState(
            "key",
            new NullTextState
            {
                Embeddings = [randn(1, 1, 2)],
                Latents = randn(1, 1, 2, 2),
                Pivot = pivot,
                Optimisation =
                [
                    [new StepOptimisation([0.5], StopReason.InnerStepLimit)],
                ],
            }
        );
    }

    private static string StateOf(RunFolder folder) => Path.Combine(folder.Path, "state.safetensors");

    private static string TensorsOf(RunFolder folder) => Path.Combine(folder.Path, "inversion.safetensors");

    private static void Edit(RunFolder folder, Action<System.Text.Json.Nodes.JsonObject> change)
    {
        string path = Path.Combine(folder.Path, "manifest.json");
        System.Text.Json.Nodes.JsonObject json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    private static void Reseal(string path, Action<Dictionary<string, string>> metadata, Action<Dictionary<string, Tensor>> tensors, bool seal)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        Dictionary<string, string> strings;
        Dictionary<string, Tensor> all;
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            strings = new(file.Metadata);
            all = file.Entries.ToDictionary(e => e.Name, e => file.Read(e.Name));
        }

        metadata(strings);
        tensors(all);
        if (seal)
            SealedTensors.Write(path, [.. all], strings);
        else
            SafetensorsFile.Write(path, all, strings);
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
        string Key(
            byte pixel = 1,
            string prompt = "p",
            string model = "m",
            string method = "n",
            int steps = 5,
            double w = 7.5,
            object? options = null,
            int revision = 0
        ) => RunFolder.Key(Image(pixel), prompt, model, method, steps, w, options ?? NullTextOptions.Default, revision: revision);
        string[] keys =
        [
            Key(),
            Key(pixel: 2),
            Key(prompt: "q"),
            Key(model: "o"),
            Key(method: "ddim"),
            Key(steps: 6),
            Key(w: 1),
            Key(revision: 1),
            Key(options: new DdimInversionOptions()),
            Key(options: new Raised(0)),
            Key(options: new Raised(1)),
            Key(options: NullTextOptions.Paper),
            Key(options: new NullTextOptions { InnerSteps = 3 }),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(Key(), Key());
    }

    [Fact]
    public async Task AddEdit_ManyAtOnce_AllAreKept()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        string[] made = new string[24];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, made.Length),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken },
            (i, _) =>
            {
                made[i] = folder.AddEdit(into => File.WriteAllText(Path.Combine(into, "x"), $"{i}"));
                return ValueTask.CompletedTask;
            }
        );
        Assert.Equal(made.Length, made.Distinct().Count());
        for (int i = 0; i < made.Length; i++)
            Assert.Equal($"{i}", File.ReadAllText(Path.Combine(made[i], "x")));
        Assert.Equal(made.Order(StringComparer.Ordinal), Directory.GetFileSystemEntries(Path.Combine(folder.Path, "edits")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AddEdit_LeftoverOfAKilledEdit_IsSwept()
    {
        RunFolder folder = new(Path.Combine(_root, "run"));
        string dead = Directory.CreateDirectory(Path.Combine(folder.Path, "edits", $".{new string('d', 32)}.partial")).FullName;
        File.WriteAllText(Path.Combine(dead, "edit.png"), "half");
        folder.RequireWritableEdits();
        Assert.False(Directory.Exists(dead));
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

    /// <summary>An editor whose numbers have changed.</summary>
    private sealed record Raised([property: System.Text.Json.Serialization.JsonIgnore] int By) : EditorOptions
    {
        public override string Id => "raised";

        public override int Revision => By;

        public override IEditDirector Direct(EditProblem problem) => throw new NotSupportedException();
    }
}
