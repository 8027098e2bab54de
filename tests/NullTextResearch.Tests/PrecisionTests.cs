using System.Collections.Concurrent;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests;

/// <summary>Networks of 16 bits between latents, embeddings and losses in float32; and what else makes a model need less memory.</summary>
public sealed class PrecisionTests
{
    private const int Steps = 6;
    private static readonly ExperimentImage Scene = ExperimentImages.Toy(1, 64)[0];
    private static readonly ConcurrentDictionary<ScalarType, Outcome> Outcomes = new();

    // Measured: fp32 27.14 dB against the image, bf16 27.17, fp16 27.14, plain DDIM inversion 22.40; pictures 49 (bf16) and 60 dB (fp16) from those
    // of fp32, edits 46 and 56.
    [Theory]
    [InlineData(ScalarType.BFloat16, 0.3)]
    [InlineData(ScalarType.Float16, 0.1)]
    public void NullText_InSixteenBits_ConvergesAsInSingle(ScalarType dtype, double decibels)
    {
        Outcome single = OutcomeOf(ScalarType.Float32),
            half = OutcomeOf(dtype);
        TestContext.Current.SendDiagnosticMessage(
            "{0}: {1:0.00} dB against the image, fp32 {2:0.00} dB, DDIM {3:0.00} dB; pictures apart {4:0.0} dB, edits apart {5:0.0} dB; loss {6:e2}, fp32 "
                + "{7:e2} of {8:e2}",
            dtype,
            half.Psnr,
            single.Psnr,
            single.PlainPsnr,
            Psnr.Of(half.Reconstruction, single.Reconstruction),
            Psnr.Of(half.Edit, single.Edit),
            half.LastLoss,
            single.LastLoss,
            single.FirstLoss
        );
        Assert.InRange(half.Psnr, single.Psnr - decibels, single.Psnr + decibels);
        Assert.True(single.Psnr > single.PlainPsnr + 1, "the optimisation has something to do");
        Assert.InRange(half.LastLoss / half.FirstLoss, 0.9 * single.LastLoss / single.FirstLoss, 1.1 * single.LastLoss / single.FirstLoss);
        Assert.InRange(single.LastLoss / single.FirstLoss, 0, 0.9);
        Assert.InRange(Psnr.Of(half.Reconstruction, single.Reconstruction), 40, 200);
        Assert.InRange(Psnr.Of(half.Edit, single.Edit), 35, 200);
        Assert.True(Psnr.Of(single.Edit, single.Reconstruction) < 30, "the edit has something to do");
    }

    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.Float64)]
    public void Model_OfAnyPrecision_GivesWideLatentsAndEmbeddings(ScalarType dtype)
    {
        using StableDiffusion model = StableDiffusion.LoadMini(new ModelLoadOptions { Dtype = dtype });
        using DisposeScope scope = NewDisposeScope();
        ScalarType wide = dtype == ScalarType.Float64 ? dtype : ScalarType.Float32;
        Assert.Equal((dtype, wide, wide), (model.Dtype, model.VaeDtype, model.LatentDtype));
        Assert.All((WeightSet[])[model.Text.Weights, model.UNet.Weights], set => Assert.Equal(dtype, set.All[0].Value.dtype));
        Tensor latents = model.Encode([Scene.Image]),
            embedding = model.Embed("a red house").Tokens;
        Tensor noise = model.Predictor().Predict(latents, model.Grid(10).Moves[0], embedding);
        Assert.All((Tensor[])[latents, embedding, noise], t => Assert.Equal(wide, t.dtype));
        Assert.NotEqual(0, noise.abs().max().to(ScalarType.Float64).item<double>());
    }

    [Fact]
    public void Model_WithAutoencoderInHalf_StillDecodes()
    {
        using StableDiffusion model = StableDiffusion.LoadMini(new ModelLoadOptions { Dtype = ScalarType.BFloat16, VaeDtype = ScalarType.BFloat16 });
        using DisposeScope scope = NewDisposeScope();
        Assert.Equal(ScalarType.BFloat16, model.VaeDtype);
        Assert.InRange(Psnr.Of(model.Decode(model.Encode([Scene.Image]))[0], Scene.Image), 25, 60);
    }

    [Fact]
    public void Predict_OutOfTheRangeOfFloat16_Teaches()
    {
        using StableDiffusion model = StableDiffusion.LoadMini(new ModelLoadOptions { Dtype = ScalarType.Float16 });
        using DisposeScope scope = NewDisposeScope();
        using (no_grad())
            model.UNet.Weights.Find("conv_out.weight")!.Value.TimesInPlace(500_000);
        Tensor latents = model.Encode([Scene.Image]),
            embedding = model.Embed("a red house").Tokens;
        DiffusionStep step = model.Grid(10).Moves[0];
        PrecisionException e = Assert.Throws<PrecisionException>(() => model.Predictor().Predict(latents, step, embedding));
        Assert.Equal(
            $"The U-Net's prediction at timestep {step.Timestep} is not finite in fp16, whose largest number is 65504. Load the model in bf16, which has "
                + "the range of float32 and the same size, or in fp32 (--precision bf16, --precision fp32).",
            e.Message
        );
        Assert.Throws<PrecisionException>(() => model.Predictor().Differentiate(latents, step, embedding, p => p.Squared().flatten(1).mean([1L])));
    }

    [Fact]
    public void Gradient_BelowTheRangeOfFloat16_SurvivesByScaling()
    {
        using StableDiffusion half = StableDiffusion.LoadMini(new ModelLoadOptions { Dtype = ScalarType.Float16 }),
            single = StableDiffusion.LoadMini();
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = single.Encode([Scene.Image]),
            embedding = single.Embed("a red house").Tokens;
        DiffusionStep step = single.Grid(10).Moves[3];
        foreach (double factor in (double[])[1, 1e-12, 1e12])
        {
            Tensor Gradient(StableDiffusion model) =>
                model.Predictor().Differentiate(latents, step, embedding, p => p.Squared().flatten(1).mean([1L]).Times(factor)).Tokens!.Over(factor);
            Tensor expected = Gradient(single),
                actual = Gradient(half);
            double difference = actual.sub(expected).to(ScalarType.Float64).norm().item<double>() / expected.to(ScalarType.Float64).norm().item<double>();
            Assert.InRange(difference, 1e-5, 0.02);
        }
    }

    [Fact]
    public void GradientScale_OnOverflow_BacksOffAndLosesNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        GradientScale scale = new();
        Tensor upstream = tensor((float[])[1, -0.5f, 0.25f, 3e-9f]).view(2, 1, 1, 2);
        // A network whose gradient is 30000 times as large: too much for float16 at the first scale.
        static Tensor[] Network(Tensor g) => [g.flatten(1).unsqueeze(1).to(ScalarType.Float16).Times(30000)];
        int before = scale.Exponent;
        (Tensor[] gradients, int backOffs) = scale.PullBack(upstream, Network, () => "it");
        Assert.InRange(backOffs, 1, 2);
        Assert.Equal(before - (4 * backOffs), scale.Exponent);
        TensorAssert.Close(upstream.flatten(1).unsqueeze(1).Times(30000), gradients[0], 20);
        Assert.Equal(0, scale.PullBack(upstream, Network, () => "it").BackOffs);
        PrecisionException e = Assert.Throws<PrecisionException>(() =>
            scale.PullBack(upstream, g => [Constants.Full(g, double.PositiveInfinity).flatten(1).unsqueeze(1)], () => "The gradient is, at every scale,")
        );
        Assert.StartsWith("The gradient is, at every scale, not finite in fp16", e.Message);
    }

    [Fact]
    public void GradientScale_AfterLongCalm_Grows()
    {
        using DisposeScope scope = NewDisposeScope();
        GradientScale scale = new();
        int before = scale.Exponent;
        Tensor upstream = ones([1, 1, 1, 1]);
        for (int i = 0; i < 201; i++)
            scale.PullBack(upstream, g => [g.flatten(1).unsqueeze(1)], () => "it").Gradients[0].Dispose();
        Assert.Equal(before + 1, scale.Exponent);
    }

    [Fact]
    public void ExplicitAttention_InHalf_MakesMapsInSingle()
    {
        using DisposeScope scope = NewDisposeScope();
        AttentionSite site = new("here", UNetStage.Mid, 0, 0, AttentionKind.Cross, 0, 2);
        foreach (ScalarType dtype in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float16])
        {
            Tensor q = randn([1, 2, 9, 8]).to(dtype),
                k = randn([1, 2, 77, 8]).to(dtype),
                v = randn([1, 2, 77, 8]).to(dtype);
            MapHook hook = new(
                (_, map) =>
                {
                    Assert.Equal(ScalarType.Float32, map.dtype);
                    Assert.InRange(map.sum(-1).Plus(-1).abs().max().to(ScalarType.Float64).item<double>(), 0, 1e-6);
                    return map;
                }
            );
            Tensor attended = hook.Attend(new AttentionCall(site, 0, 3, 3, BatchLayout.Sources(1)), q, k, v);
            Assert.Equal(dtype, attended.dtype);
            TensorAssert.Close(
                FusedAttention.Instance.Attend(default, q.to(ScalarType.Float32), k.to(ScalarType.Float32), v.to(ScalarType.Float32)),
                attended,
                0.03
            );
        }
    }

    [Fact]
    public void Offload_OnACpu_FreesAndReadsAgain()
    {
        using StableDiffusion away = StableDiffusion.LoadMini(new ModelLoadOptions { Memory = new MemoryOptions { Offload = true } }),
            there = StableDiffusion.LoadMini();
        using DisposeScope scope = NewDisposeScope();
        Assert.All((WeightSet[])[away.Text.Weights, away.Vae.Weights], set => Assert.DoesNotContain(set.All, w => w.HasValue));
        Assert.Contains(away.UNet.Weights.All, w => w.HasValue);
        Tensor expected = there.Encode([Scene.Image]);
        Assert.Equal(0, TensorAssert.MaxDifference(there.Embed("a red house").Tokens, away.Embed("a red house").Tokens));
        Assert.Equal(0, TensorAssert.MaxDifference(expected, away.Encode([Scene.Image])));
        Assert.Equal(there.Decode(expected)[0].Rgb, away.Decode(expected)[0].Rgb);
        Assert.DoesNotContain(away.Vae.Weights.All, w => w.HasValue);

        // Settings may change: what is away comes back, what is there goes.
        away.Memory = new MemoryOptions();
        Assert.Equal(0, TensorAssert.MaxDifference(expected, away.Encode([Scene.Image])));
        Assert.Contains(away.Vae.Weights.All, w => w.HasValue);
        away.Memory = new MemoryOptions { Offload = true };
        Assert.DoesNotContain(away.Vae.Weights.All, w => w.HasValue);
    }

    [Fact]
    public void Offload_OfAModelMadeByHand_Teaches()
    {
        using StableDiffusion mini = StableDiffusion.LoadMini();
        // Shares the networks: only one of the two is disposed.
        StableDiffusion byHand = new("parts", mini.Tokenizer, mini.Text, mini.Vae, mini.UNet, mini.Schedule);
        ArgumentException e = Assert.Throws<ArgumentException>(() => byHand.Memory = new MemoryOptions { Offload = true });
        Assert.Contains("parts was not loaded from disk", e.Message);
    }

    [Fact]
    public void MemoryOptions_OutOfRange_AreAllNamed()
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => new MemoryOptions { VaeTile = 7 }.Validate());
        Assert.Contains("VaeTile is 7; it must be at least 8 latents", e.Message);
        Assert.Contains("between 1 and 8", Assert.Throws<ArgumentException>(() => new MemoryOptions { VaeTile = 16, VaeTileOverlap = 9 }.Validate()).Message);
        Assert.Contains("there are no tiles", Assert.Throws<ArgumentException>(() => new MemoryOptions { VaeTileOverlap = 9 }.Validate()).Message);
        MemoryOptions.Least.Validate();
        Assert.Equal("checkpointing, sequential, tiles of 32 (overlap 8), offload", MemoryOptions.Least.ToString());
        Assert.Equal("none", new MemoryOptions().ToString());
    }

    [Fact]
    public void Precision_Names_GoBothWays()
    {
        Assert.All(Precision.Names, name => Assert.Equal(name, Precision.NameOf(Precision.Parse(name))));
        Assert.Contains("must be one of fp32, bf16, fp16", Assert.Throws<ArgumentException>(() => Precision.Parse("int8")).Message);
        Assert.Equal(
            "bf16, autoencoder fp32, tiles of 32 (overlap 8)",
            new ModelLoadOptions { Dtype = ScalarType.BFloat16, Memory = MemoryOptions.Least }.Numerics
        );
    }

    // Everything at once: precision, segments, rows apart, tiles of the image's size, parts away.
    [Fact]
    public void Edit_WithEveryMemoryOption_EqualsThePlainOne()
    {
        using StableDiffusion plain = StableDiffusion.LoadMini(),
            saving = StableDiffusion.LoadMini(new ModelLoadOptions { Memory = MemoryOptions.Least });
        Outcome a = Run(plain, 3, 2),
            b = Run(saving, 3, 2);
        Assert.InRange(Psnr.Of(a.Reconstruction, b.Reconstruction), 60, double.PositiveInfinity);
        Assert.InRange(Psnr.Of(a.Edit, b.Edit), 60, double.PositiveInfinity);
    }

    private static Outcome OutcomeOf(ScalarType dtype) =>
        Outcomes.GetOrAdd(
            dtype,
            wanted =>
            {
                using StableDiffusion model = StableDiffusion.LoadMini(new ModelLoadOptions { Dtype = wanted });
                return Run(model, Steps, 8);
            }
        );

    private static Outcome Run(StableDiffusion model, int steps, int inner)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new()
        {
            Predictor = model.Predictor(),
            Grid = model.Grid(steps),
            Latents = model.Encode([Scene.Image]),
            Conditional = model.Embed(Scene.Caption),
            Unconditional = model.Embed(""),
        };
        using InversionResult result = new NullTextInversion(NullTextOptions.Default with { InnerSteps = inner }).Invert(problem),
            plain = new DdimInversion().Invert(problem);
        RgbImage Decoded(InversionResult of) => model.Decode(Sampler.Run(problem.Predictor, problem.Grid, of.Plan))[0];
        RgbImage reconstruction = Decoded(result);
        EditSession session = new(prompts => model.Embed(prompts), processor => model.Predictor(processor), problem.Grid);
        PlannedEdit planned = Scene.Edits[0];
        TokenizedPrompt source = model.Tokenizer.Tokenize(Scene.Caption),
            target = model.Tokenizer.Tokenize(planned.Prompt);
        ImageEdit edit = new() { Source = source, Targets = [new EditTarget { Prompt = target, Edit = PromptEdit.Between(source, target) }] };
        using EditResult edited = session.Edit(result, [edit]);
        IReadOnlyList<StepOptimisation> log = result.Optimisation[0];
        return new Outcome(
            Psnr.Of(reconstruction, Scene.Image),
            Psnr.Of(Decoded(plain), Scene.Image),
            reconstruction,
            model.Decode(edited.Target())[0],
            log.Sum(l => l.Losses[0]),
            log.Sum(l => l.Losses[^1])
        );
    }

    // Losses are summed over the steps.
    private sealed record Outcome(double Psnr, double PlainPsnr, RgbImage Reconstruction, RgbImage Edit, double FirstLoss, double LastLoss);
}
