using NullTextResearch.Diffusion;
using NullTextResearch.Loading;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Verification;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Loading;

/// <summary>Small models of the true architecture, in every layout, loaded whole.</summary>
public sealed class LoadTests : IDisposable
{
    private static readonly OriginalModel V1 = OriginalModel.TinyV1.WithVocabulary();
    private static readonly OriginalModel V2 = OriginalModel.TinyV2.WithVocabulary();
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-load-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Load_FolderOfAnyPrecision_HasTheNumbersOfTheFile(ScalarType stored)
    {
        ModelFiles.WriteFolder(_folder, V1, stored);
        using StableDiffusion model = StableDiffusion.Load(_folder);
        Assert.Equal((ScalarType.Float32, 512), (model.Dtype, model.ImageSize));
        Assert.Empty(model.Notes);
        RequireFormula(model, V1, stored);
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float64)]
    public void Load_AsAnyPrecision_ConvertsWhileReading(ScalarType wanted)
    {
        ModelFiles.WriteFolder(_folder, V1);
        using StableDiffusion model = StableDiffusion.Load(_folder, new ModelLoadOptions { Dtype = wanted, VaeDtype = wanted });
        Assert.Equal(wanted, model.Dtype);
        RequireFormula(model, V1, wanted);
    }

    [Theory]
    [InlineData("")]
    [InlineData("fp16")]
    public void Load_ShardedFolder_IsReadThroughItsIndex(string variant)
    {
        ModelFiles.WriteFolder(_folder, V1, variant: variant, shards: 3);
        using StableDiffusion model = StableDiffusion.Load(_folder);
        RequireFormula(model, V1, ScalarType.Float32);
        Assert.Equal(variant.Length == 0 ? 0 : 3, model.Notes.Count);
        Assert.Equal(
            3,
            model.Source!.Files.Count(f =>
                f.Contains("diffusion_pytorch_model", StringComparison.Ordinal)
                && f.Contains($"{Path.DirectorySeparatorChar}unet{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                && f.EndsWith(".safetensors", StringComparison.Ordinal)
            )
        );
    }

    [Theory]
    [InlineData(OriginalText.Clip, ScalarType.Float32)]
    [InlineData(OriginalText.Clip, ScalarType.Float16)]
    [InlineData(OriginalText.OlderClip, ScalarType.Float32)]
    [InlineData(OriginalText.OpenClip, ScalarType.Float32)]
    [InlineData(OriginalText.OpenClip, ScalarType.BFloat16)]
    public void Load_SingleFile_HasTheNumbersOfTheFile(OriginalText naming, ScalarType stored)
    {
        OriginalModel layout = (naming == OriginalText.OpenClip ? V2 : V1) with { TextNaming = naming };
        using StableDiffusion model = StableDiffusion.Load(
            Single("any.safetensors", layout, stored),
            new ModelLoadOptions { Prediction = PredictionType.Epsilon }
        );
        RequireFormula(model, layout, stored);
        Assert.Null(model.Folder);
        Assert.Equal("any", model.Name);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Load_SingleFileAndFolder_AreOneModel(bool second)
    {
        OriginalModel layout = second ? V2 : V1;
        string folder = Path.Combine(_folder, "folder");
        ModelFiles.WriteFolder(folder, layout);
        using StableDiffusion whole = StableDiffusion.Load(folder);
        using StableDiffusion single = StableDiffusion.Load(Single("v2-1_768-x.safetensors", layout));
        Assert.Equal(second ? PredictionType.Velocity : PredictionType.Epsilon, single.Schedule.Prediction);
        Assert.Equal((whole.Schedule.Prediction, whole.ImageSize), (single.Schedule.Prediction, single.ImageSize));
        Assert.Equivalent(whole.UNet.Config, single.UNet.Config, strict: true);
        Assert.Equal(whole.Text.Config, single.Text.Config);

        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Tensor latents = new FormulaWeights().Input("input:latents", [1, 4, 8, 8]);
        DiffusionStep step = whole.Grid(10).Moves[3];
        Tensor one = whole.Embed("a red car").Tokens,
            other = single.Embed("a red car").Tokens;
        // Stable Diffusion 2.x pads with "!", which the small folder's vocabulary does not say: only the prompt's own rows can agree.
        int rows = second ? 5 : 77;
        TensorAssert.Close(one.narrow(1, 0, rows), other.narrow(1, 0, rows), 0);
        TensorAssert.Close(whole.Predictor().Predict(latents, step, one), single.Predictor().Predict(latents, step, one), 0);
        Tensor pixels = new FormulaWeights().Input("input:pixels", [1, 3, 16, 16]);
        TensorAssert.Close(whole.Vae.Encode(pixels), single.Vae.Encode(pixels), 0);
    }

    [Fact]
    public void Load_SingleFileV2_PadsWithItsOwnToken()
    {
        using StableDiffusion second = StableDiffusion.Load(Single("v2-1_512.safetensors", V2));
        using StableDiffusion first = StableDiffusion.Load(Single("v1.safetensors", V1));
        Assert.Equal(0, second.Tokenizer.Tokenize("a car").Ids[^1]);
        Assert.Equal(first.Tokenizer.EndToken, first.Tokenizer.Tokenize("a car").Ids[^1]);
    }

    [Theory]
    [InlineData(null, ScalarType.Float32, "")]
    [InlineData(null, ScalarType.Float16, "fp16")]
    [InlineData(null, ScalarType.BFloat16, "")]
    [InlineData("", ScalarType.Float16, "")]
    [InlineData("fp16", ScalarType.Float32, "fp16")]
    public void Find_PlainAndVariantFiles_TakesThatOfThePrecisionOrTheOneNamed(string? asked, ScalarType dtype, string expected)
    {
        ModelFiles.WriteFolder(_folder, V1);
        ModelFiles.WriteFolder(_folder, V1, ScalarType.Float16, "fp16");
        ModelSource source = ModelSource.Find(_folder, new ModelLoadOptions { Variant = asked, Dtype = dtype });
        Assert.All(source.Parts, part => Assert.Equal(expected == "fp16", part.Path.Contains(".fp16.", StringComparison.Ordinal)));
        Assert.Equal(expected == "fp16" ? 3 : 0, source.Notes.Count);
    }

    [Fact]
    public void Find_OnlyAVariant_IsTakenAndTold()
    {
        ModelFiles.WriteFolder(_folder, V1, ScalarType.Float16, "fp16");
        ModelSource source = ModelSource.Find(_folder);
        Assert.Contains("unet: diffusion_pytorch_model.fp16.safetensors, the variant fp16, because there is no file without a variant", source.Notes);
        Assert.Contains(
            "(none)",
            Assert
                .Throws<ModelFormatException>(() =>
                {
                    ModelFiles.WriteFolder(_folder, V1);
                    ModelSource.Find(_folder, new ModelLoadOptions { Variant = "bf16" });
                })
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Find_ForeignVariantsOnly_AsksWhich()
    {
        foreach (string word in (string[])["ema", "non_ema"])
            ModelFiles.WriteFolder(_folder, V1, ScalarType.Float16, word, hollow: true);
        Assert.Contains("ema, non_ema", Assert.Throws<ModelFormatException>(() => ModelSource.Find(_folder)).Message, StringComparison.Ordinal);
        Assert.Equal(3, ModelSource.Find(_folder, new ModelLoadOptions { Variant = "ema" }).Notes.Count);
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.safetensors.index.fp16.json")]
    [InlineData("diffusion_pytorch_model.safetensors.fp16.index.json")]
    public void Find_IndexOfAVariant_EitherSpellingIsKnown(string name)
    {
        ModelFiles.WriteFolder(_folder, V1, variant: "fp16", shards: 2, hollow: true);
        string unet = Path.Combine(_folder, "unet");
        File.Move(Path.Combine(unet, "diffusion_pytorch_model.safetensors.index.fp16.json"), Path.Combine(unet, name), overwrite: true);
        Assert.Equal(name, Path.GetFileName(ModelSource.Find(_folder).Parts[2].Path));
    }

    [Fact]
    public void Load_UseEma_TakesTheAverageUnderItsFlatNames()
    {
        string path = Path.Combine(_folder, "full.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        OriginalTensor[] ema =
        [
            .. V1.UNet()
                .Select(t =>
                    t with
                    {
                        Name = "model_ema." + t.Name["model.".Length..].Replace(".", "", StringComparison.Ordinal),
                        Keys = [t.Keys[0] + " averaged"],
                    }
                ),
        ];
        ModelFiles.WriteOriginal(path, [.. V1.All(), .. ema, new OriginalTensor("model_ema.decay", [])]);
        using StableDiffusion plain = StableDiffusion.Load(path),
            averaged = StableDiffusion.Load(path, new ModelLoadOptions { UseEma = true });
        RequireFormula(plain, V1, ScalarType.Float32);
        using Tensor expected = new FormulaWeights().Weight("conv_in.weight averaged", [64, 4, 3, 3]);
        TensorAssert.Close(expected, averaged.UNet.Weights.Find("conv_in.weight")!.Value, 0);
        Assert.Contains(plain.Notes, n => n.Contains("UseEma", StringComparison.Ordinal));
        Assert.Contains(
            "emaonly",
            Assert.Throws<ModelFormatException>(() => ModelSource.Find(Single("no.safetensors", V1), new ModelLoadOptions { UseEma = true })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Load_Progress_CountsEveryByteOnce()
    {
        ModelFiles.WriteFolder(_folder, V1, ScalarType.Float16);
        List<LoadProgress> reports = [];
        ModelSource source = ModelSource.Find(_folder, new ModelLoadOptions { Progress = new Direct<LoadProgress>(reports.Add) });
        StableDiffusion.Load(source).Dispose();
        Assert.Equal(["text_encoder", "vae", "unet"], reports.Select(r => r.Part).Distinct());
        Assert.Equal(2 * source.ParameterCount, reports[^1].BytesTotal);
        Assert.Equal(reports[^1].BytesTotal, reports[^1].BytesRead);
        Assert.All(reports.Zip(reports.Skip(1)), pair => Assert.True(pair.First.BytesRead < pair.Second.BytesRead));
    }

    [Fact]
    public void Load_Cancelled_LeavesNothing()
    {
        ModelFiles.WriteFolder(_folder, V1);
        long before = TensorAssert.Live;
        using CancellationTokenSource stop = new();
        ModelLoadOptions options = new()
        {
            Progress = new Direct<LoadProgress>(p =>
            {
                if (p.Part == "unet")
                    stop.Cancel();
            }),
        };
        Assert.Throws<OperationCanceledException>(() => StableDiffusion.Load(_folder, options, stop.Token));
        Assert.Equal(before, TensorAssert.Live);
    }

    [Fact]
    public void Load_AfterwardsNothingIsAlive()
    {
        ModelFiles.WriteFolder(_folder, V1, ScalarType.Float16);
        long before = TensorAssert.Live;
        StableDiffusion.Load(_folder).Dispose();
        Assert.Equal(before, TensorAssert.Live);
    }

    [Fact]
    public void Prediction_NothingSays_TheNetworkIsAsked()
    {
        using StableDiffusion model = StableDiffusion.Load(Single("mystery.safetensors", V2));
        Assert.True(model.Source!.PredictionIsGuessed);
        Assert.Contains(model.Notes, n => n.Contains("probed the network", StringComparison.Ordinal));
        // Weights by formula know nothing of noise, so their answer is unlike it.
        Assert.Equal((PredictionType.Velocity, 768), (model.Schedule.Prediction, model.ImageSize));
    }

    [Fact]
    public void PredictionProbe_TrainedNetwork_IsRecognised()
    {
        using StableDiffusion mini = StableDiffusion.LoadMini();
        (PredictionType prediction, double likeness) = PredictionProbe.Ask(mini.UNet, mini.Text, mini.Tokenizer);
        Assert.Equal(PredictionType.Epsilon, prediction);
        Assert.True(likeness > 0.9, $"a network that predicts noise returned something with a correlation of only {likeness}");
    }

    [Fact]
    public void Load_NetworkThatAnswersNoise_BecomesABaseModelOf512()
    {
        // conv_out of conv_in: with all residual branches at zero the network returns a linear image of its input, here the input itself.
        string path = Path.Combine(_folder, "echo.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        ModelFiles.WriteOriginal(path, V2.All());
        Echo(path, V2);
        using StableDiffusion model = StableDiffusion.Load(path);
        Assert.True(model.Source!.PredictionIsGuessed);
        Assert.Equal((PredictionType.Epsilon, 512), (model.Schedule.Prediction, model.ImageSize));
        Assert.Contains(model.Notes, n => n.Contains("2.x base", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("modelspec.prediction_type", "v", PredictionType.Velocity)]
    [InlineData("modelspec.prediction_type", "epsilon", PredictionType.Epsilon)]
    [InlineData("modelspec.architecture", "stable-diffusion-v2-768-v", PredictionType.Velocity)]
    [InlineData("modelspec.architecture", "stable-diffusion-v2-512", PredictionType.Epsilon)]
    public void Prediction_MetadataOfTheFile_Say(string key, string value, PredictionType expected)
    {
        string path = Path.Combine(_folder, "m.safetensors");
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "tokenizer"));
        ModelFiles.WriteHollow(path, V2.All(), metadata: new Dictionary<string, string> { [key] = value, ["modelspec.resolution"] = "640x640" });
        ModelSource source = ModelSource.Find(path);
        Assert.Equal((expected, false, 640), (source.Schedule.Prediction, source.PredictionIsGuessed, source.ImageSize));
    }

    [Fact]
    public void Prediction_YamlOrMarkOrOption_Say()
    {
        string path = Single("w.safetensors", V2, hollow: true),
            yaml = Path.ChangeExtension(path, ".yaml");
        File.WriteAllText(yaml, "model:\n  params:\n    parameterization: \"v\"\n    linear_start: 0.00085\n");
        Assert.Equal((PredictionType.Velocity, false), Told(ModelSource.Find(path)));
        File.WriteAllText(yaml, "model:\n  params:\n    linear_start: 0.00085\n");
        Assert.Equal((PredictionType.Epsilon, false), Told(ModelSource.Find(path)));
        Assert.Equal((PredictionType.Velocity, false), Told(ModelSource.Find(path, new ModelLoadOptions { Prediction = PredictionType.Velocity })));
        ModelFiles.WriteHollow(path, [.. V2.All(), new OriginalTensor("v_pred", [0]), new OriginalTensor("ztsnr", [0])]);
        ModelSource marked = ModelSource.Find(path);
        Assert.Equal((PredictionType.Velocity, false), Told(marked));
        Assert.Equal((true, TimestepSpacing.Trailing), (marked.Schedule.ZeroTerminalSnr, marked.Schedule.Spacing));

        static (PredictionType, bool) Told(ModelSource source) => (source.Schedule.Prediction, source.PredictionIsGuessed);
    }

    [Fact]
    public void Tokenizer_OfASingleFile_IsSoughtBesideItAndInTheHubsCache()
    {
        string path = Path.Combine(_folder, "alone", "v1.safetensors"),
            cache = Path.Combine(_folder, "cache");
        ModelFiles.WriteHollow(path, V1.All());
        ModelFormatException none = Assert.Throws<ModelFormatException>(() => TokenizerSearch.For(path, V1.Vocabulary, cache, null));
        Assert.Contains("openai/clip-vit-large-patch14", none.Message, StringComparison.Ordinal);
        string cached = Path.Combine(cache, "models--openai--clip-vit-large-patch14", "snapshots", "0123");
        ModelFiles.WriteTokenizer(cached);
        Assert.Equal(cached, TokenizerSearch.For(path, V1.Vocabulary, cache, null));
        // A vocabulary of another size belongs to another model.
        Assert.Throws<ModelFormatException>(() => TokenizerSearch.For(path, 49408, cache, null));
        string named = Path.Combine(_folder, "named");
        ModelFiles.WriteTokenizer(named);
        Assert.Equal(named, TokenizerSearch.For(path, V1.Vocabulary, cache, named));
        string beside = Path.Combine(_folder, "alone", "tokenizer");
        ModelFiles.WriteTokenizer(beside);
        Assert.Equal(beside, TokenizerSearch.For(path, V1.Vocabulary, cache, named));
    }

    [Fact]
    public void OpenClip_OneLayer_EqualsTheLibrarysMultiheadAttention()
    {
        // The fused projection's order of query, key and value, and the layer around it, by another implementation of both.
        OriginalModel layout = V2 with
        {
            TextLayers = 2,
            UsedTextLayers = 1,
        };
        using StableDiffusion model = StableDiffusion.Load(Single("o.safetensors", layout), new ModelLoadOptions { Prediction = PredictionType.Epsilon });
        Assert.Equal(1, model.Text.Config.Layers);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        Dictionary<string, Tensor> file = layout
            .Text()
            .ToDictionary(t => t.Name["cond_stage_model.model.".Length..], t => ModelFiles.Value(t, ScalarType.Float32));
        const string Block = "transformer.resblocks.0.";
        long[] ids = [.. Enumerable.Range(0, 7).Select(i => (long)(i * 3 % 11))];
        long d = layout.Context;
        Tensor x = file["token_embedding.weight"].index_select(0, tensor(ids)).Plus(file["positional_embedding"].narrow(0, 0, 7));
        using TorchSharp.Modules.MultiheadAttention attention = nn.MultiheadAttention(d, d / 64);
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in attention.named_parameters())
            parameter.copy_(file[$"{Block}attn.{name}"]);
        Tensor mask = Constants.Full([7, 7], double.NegativeInfinity).triu(1).to(ScalarType.Float32);
        Tensor h = Norm(x, "ln_1").unsqueeze(1);
        x = x.Plus(attention.call(h, h, h, null, false, mask).Item1.squeeze(1));
        h = nn.functional.linear(Norm(x, "ln_2"), file[Block + "mlp.c_fc.weight"], file[Block + "mlp.c_fc.bias"]);
        x = x.Plus(nn.functional.linear(nn.functional.gelu(h), file[Block + "mlp.c_proj.weight"], file[Block + "mlp.c_proj.bias"]));
        Tensor expected = nn.functional.layer_norm(x, [d], file["ln_final.weight"], file["ln_final.bias"]);
        TensorAssert.Close(expected, model.Text.Forward(tensor(ids).unsqueeze(0)).squeeze(0), 2e-5);

        Tensor Norm(Tensor t, string name) => nn.functional.layer_norm(t, [d], file[$"{Block}{name}.weight"], file[$"{Block}{name}.bias"]);
    }

    private string Single(string name, OriginalModel layout, ScalarType stored = ScalarType.Float32, bool hollow = false)
    {
        string path = Path.Combine(_folder, "single", name);
        ModelFiles.WriteTokenizer(Path.Combine(_folder, "single", "tokenizer"));
        if (hollow)
            ModelFiles.WriteHollow(path, layout.All());
        else
            ModelFiles.WriteOriginal(path, layout.All(), stored);
        return path;
    }

    // Rewrites the U-Net so that it returns its input: everything zero but a path from conv_in past all blocks to conv_out.
    private static void Echo(string path, OriginalModel layout)
    {
        const string At = "model.diffusion_model.";
        SafetensorsEntry[] entries;
        using (Checkpoint file = Checkpoint.Open(path))
            entries = [.. file.Entries];
        long data = new FileInfo(path).Length - entries.Max(e => e.End);
        using FileStream raw = File.OpenWrite(path);
        string last = $"{At}output_blocks.{((layout.ResidualBlocks + 1) * layout.Multipliers.Length) - 1}.0.skip_connection.weight";
        foreach (SafetensorsEntry entry in entries.Where(e => e.Name.StartsWith(At, StringComparison.Ordinal)))
        {
            float[] values = new float[entry.Shape.Aggregate(1L, (a, b) => a * b)];
            if (entry.Name == At + "out.0.weight")
                Array.Fill(values, 1f);
            // conv_in: channel i carries latent i % 4 with a sign, so that the sign's choice survives the normalisation and the activation.
            if (entry.Name == At + "input_blocks.0.0.weight")
            {
                for (int i = 0; i < 64; i++)
                    values[(((i * 4) + (i % 4)) * 9) + 4] = i / 4 % 2 == 0 ? 1 : -1;
            }
            // The last block's skip takes the second half of its input: what conv_in made.
            if (entry.Name == last)
            {
                long width = entry.Shape[1];
                for (int i = 0; i < 64; i++)
                    values[(i * width) + (width - 64) + i] = 1;
            }
            if (entry.Name == At + "out.2.weight")
            {
                for (int i = 0; i < 64; i++)
                    values[(((i % 4 * 64) + i) * 9) + 4] = i / 4 % 2 == 0 ? 1 : -1;
            }
            raw.Position = data + entry.Begin;
            raw.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values));
        }
    }

    private static void RequireFormula(StableDiffusion model, OriginalModel layout, ScalarType rounding)
    {
        using DisposeScope scope = NewDisposeScope();
        FormulaWeights formula = new();
        int compared = 0;
        foreach (WeightSet set in (WeightSet[])[model.Text.Weights, model.Vae.Weights, model.UNet.Weights])
        {
            foreach (Weight weight in set.All)
            {
                using DisposeScope inner = NewDisposeScope();
                Tensor expected = formula.Weight(ModelFiles.Hashed(weight.Key), weight.Dimensions).to(rounding).to(ScalarType.Float64);
                Assert.True(expected.equal(weight.Value.to(ScalarType.Float64)).all().item<bool>(), $"{weight.Key} differs");
                Assert.False(weight.Value.requires_grad);
                compared++;
            }
        }
        Assert.Equal(layout.All().Sum(t => t.Keys.Count), compared);
    }

    private sealed class Direct<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
