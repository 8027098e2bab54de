using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

/// <summary>The variants that the paper compares null-text inversion with.</summary>
[LeavesNoTensors]
public class AblationTests
{
    private static readonly NullTextOptions NoStop = NullTextOptions.Default with { StopEarly = false };

    public static TheoryData<string> AnyTime =>
        ["global", "global, fresh Adam, reusing", "textual", "textual, from noise, prompt's path", "non-pivotal", "non-pivotal per step"];

    [Theory]
    [MemberData(nameof(AnyTime))]
    public void InvertAnyTime_EachSnapshot_EqualsARunOfThatLength(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        IAnyTimeInversion inversion = (IAnyTimeInversion)AllInversions.Make(name, problem);
        IReadOnlyList<InversionResult> curve = inversion.InvertAnyTime(problem, [0, 3, 10, 25]);
        int[] counts = [0, 3, 10, 25];
        for (int i = 0; i < counts.Length; i++)
        {
            IReadOnlyList<InversionResult> alone = inversion.InvertAnyTime(problem, [counts[i]]);
            TensorAssert.Close(AllInversions.Reconstruct(problem, alone[0]), AllInversions.Reconstruct(problem, curve[i]), 0);
            Assert.Equal(alone[0].EvaluationsPerImage, curve[i].EvaluationsPerImage);
            Assert.Equal(counts[i], curve[i].BackwardsPerImage);
            Assert.Equal(counts[i], curve[i].Optimisation[0].Sum(s => s.Losses.Count));
            alone[0].Dispose();
        }
        foreach (InversionResult result in curve)
            result.Dispose();
    }

    [Theory]
    [MemberData(nameof(AnyTime))]
    public void InvertAnyTime_CancelledLate_DisposesEarlierSnapshots(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        IAnyTimeInversion inversion = (IAnyTimeInversion)AllInversions.Make(name, problem);
        long before = TensorAssert.Live;
        using CancellationTokenSource source = new();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            inversion.InvertAnyTime(
                problem,
                [0, 2, 20],
                new AllInversionsTests.Direct(p =>
                {
                    if (p.Stage != "DDIM inversion" && p.Step == 5)
                        source.Cancel();
                }),
                source.Token
            )
        );
        Assert.Equal(before, TensorAssert.Live);
    }

    [Theory]
    [MemberData(nameof(AnyTime))]
    public void InvertAnyTime_CountsThatDoNotRise_AreRefused(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        IAnyTimeInversion inversion = (IAnyTimeInversion)AllInversions.Make(name, problem);
        Assert.Contains("3 follows 3", Assert.Throws<ArgumentException>(() => inversion.InvertAnyTime(problem, [3, 3])).Message);
        Assert.Throws<ArgumentException>(() => inversion.InvertAnyTime(problem, []));
        Assert.Throws<ArgumentException>(() => inversion.InvertAnyTime(problem, [-1]));
    }

    [Fact]
    public void RandomPivot_Trajectory_IsTheImageWithOneNoiseAtAllLevels()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using PivotTrajectory pivot = RandomNoisePath.Trajectory(problem, 7);
        TensorAssert.Close(problem.Latents, pivot.Clean, 0);
        Tensor Noise(int level)
        {
            double alphaBar = problem.Grid.Level(level).AlphaBar;
            return pivot[level].sub(problem.Latents.Times(Math.Sqrt(alphaBar))).Over(Math.Sqrt(1 - alphaBar));
        }
        for (int level = 2; level <= 10; level++)
            TensorAssert.Close(Noise(1), Noise(level), 1e-9);
        Assert.True(TensorAssert.MaxDifference(Noise(1)[0], Noise(1)[1]) > 0.1, "The images share their noise.");
        using PivotTrajectory other = RandomNoisePath.Trajectory(problem, 8);
        Assert.True(TensorAssert.MaxDifference(pivot.Noisiest, other.Noisiest) > 0.1, "The seed does not matter.");
    }

    [Fact]
    public void PerStepNullText_BeatsGlobalAndRandomPivot_AtEqualIterations()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 4, steps: 20);
        double Error(IInversion inversion)
        {
            using InversionResult result = inversion.Invert(problem);
            return TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, result), problem.Latents);
        }
        double ours = Error(new NullTextInversion(NoStop));
        double global = Error(new GlobalNullTextInversion());
        double randomPivot = Error(new RandomPivotInversion(NoStop));
        Assert.True(ours < global, $"{ours} against global {global}");
        Assert.True(ours < randomPivot, $"{ours} against random pivot {randomPivot}");
    }

    [Fact]
    public void Global_FirstPass_FollowsAlgorithmTwo()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        IReadOnlyList<InversionResult> curve = new GlobalNullTextInversion().InvertAnyTime(problem, [1, 10]);
        // The first step of the first pass is the first inner step of null-text inversion.
        using InversionResult nullText = new NullTextInversion(NoStop with { InnerSteps = 1 }).Invert(problem);
        TensorAssert.Close(nullText.Unconditional.At(0).Tokens, curve[0].Unconditional.Values, 1e-12);
        // Adam lives on, so the second step is no longer the same.
        Assert.Equal(nullText.Optimisation[0][1].Losses[0], curve[1].Optimisation[0][1].Losses[0], 12);
        Assert.True(TensorAssert.MaxDifference(nullText.Unconditional.At(9).Tokens, curve[1].Unconditional.Values) > 1e-6);
        // A fresh Adam at every step makes one pass equal to null-text inversion with one inner step and a constant rate.
        using InversionResult fresh = new GlobalNullTextInversion(new GlobalNullTextOptions { InnerSteps = 1, FreshAdam = true }).Invert(problem);
        using InversionResult constant = new NullTextInversion(NoStop with { InnerSteps = 1, LearningRateFall = 0 }).Invert(problem);
        TensorAssert.Close(constant.Unconditional.At(9).Tokens, fresh.Unconditional.Values, 1e-12);
        // Inversion; then both embeddings and the advance at each step but the last, which advances to nowhere.
        Assert.Equal(10 + 3 * 10 - 1, fresh.EvaluationsPerImage);
        foreach (InversionResult result in curve)
            result.Dispose();
    }

    [Fact]
    public void Global_SecondPass_StartsFromTheNoisiestPivotAgain()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        IReadOnlyList<InversionResult> curve = new GlobalNullTextInversion().InvertAnyTime(problem, [10, 11]);
        PivotTrajectory pivot = curve[0].Pivot!;
        DiffusionStep first = problem.Grid.Moves[0];
        Tensor noise = Guidance.Combine(
            problem.Predictor.Predict(pivot.Noisiest, first, curve[0].Unconditional.At(0)),
            problem.Predictor.Predict(pivot.Noisiest, first, problem.Conditional),
            problem.GuidanceScale
        );
        double expected = TensorAssert.MeanSquare(Ddim.Move(pivot.Noisiest, noise, first.Noisy, first.Clean), pivot.TargetOf(first));
        Assert.Equal(expected, curve[1].Optimisation[0][0].Losses[1], 1e-12);
        foreach (InversionResult result in curve)
            result.Dispose();
    }

    [Fact]
    public void Global_ManyPasses_LowerTheLossAndTheError()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        IReadOnlyList<InversionResult> curve = new GlobalNullTextInversion().InvertAnyTime(problem, [0, 500]);
        double[] errors = [.. curve.Select(r => TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, r), problem.Latents))];
        Assert.True(errors[1] < errors[0], string.Join(" ", errors));
        double first = curve[1].Optimisation.Average(image => image.Average(s => s.Losses[0])),
            last = curve[1].Optimisation.Average(image => image.Average(s => s.Losses[^1]));
        Assert.True(last < first, $"{first} -> {last}");
        using InversionResult ddim = new DdimInversion().Invert(problem);
        TensorAssert.Close(AllInversions.Reconstruct(problem, ddim), AllInversions.Reconstruct(problem, curve[0]), 1e-12);
        foreach (InversionResult result in curve)
            result.Dispose();
    }

    [Fact]
    public void RandomCaption_WithTheTrueCaption_IsNullText()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult same = new RandomCaptionInversion(problem.Conditional).Invert(problem);
        using InversionResult ours = new NullTextInversion().Invert(problem);
        TensorAssert.Close(ours.Unconditional.Values, same.Unconditional.Values, 0);
        Tensor captions = problem.Conditional.Tokens.flip(0);
        using InversionResult other = new RandomCaptionInversion(captions).Invert(problem);
        TensorAssert.Close(captions, other.Conditional.Values, 0);
        Assert.True(TensorAssert.MaxDifference(ours.StartLatents, other.StartLatents) > 1e-3, "The caption did not enter the inversion.");
    }

    [Fact]
    public void TextualWithPivot_TrainsThePromptAndReconstructs()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        using InversionResult ddim = new DdimInversion().Invert(problem);
        using InversionResult result = new TextualInversionWithPivot(NoStop).Invert(problem);
        Assert.True(result.Conditional.IsPerStep);
        TensorAssert.Close(problem.Unconditional.Tokens, result.Unconditional.Values, 0);
        double before = TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, ddim), problem.Latents);
        double after = TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, result), problem.Latents);
        Assert.True(after < 0.5 * before, $"{before} -> {after}");
    }

    [Fact]
    public void Textual_FromNoise_HasTheSizeOfThePrompt()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        Tensor Start(InversionProblem of)
        {
            using InversionResult start = new TextualInversion(new TextualInversionOptions { Start = TextualStart.Noise, Seed = 3 }).InvertAnyTime(of, [0])[0];
            return start.Conditional.Values.clone();
        }
        Tensor noise = Start(problem);
        Assert.InRange(noise.Squared().mean().div(problem.Conditional.Tokens.Squared().mean()).item<double>(), 0.5, 2);
        TensorAssert.Close(noise.Times(3), Start(problem with { Conditional = problem.Conditional.Tokens.Times(3) }), 1e-12);
    }

    /// <summary>The diffusion loss from its definition, with the draws of the first iteration.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WithoutPivot_FirstLoss_IsTheDistanceOfThePredictionFromTheDrawnNoise(bool nullText)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        RandomTimestepOptions options = nullText ? new NonPivotalOptions { Seed = 3 } : new TextualInversionOptions { Seed = 3 };
        IAnyTimeInversion method = nullText ? new NonPivotalInversion((NonPivotalOptions)options) : new TextualInversion((TextualInversionOptions)options);
        using InversionResult result = method.InvertAnyTime(problem, [1])[0];
        using RandomTimestepOptimisation draws = new("test", problem, options);
        DiffusionStep step = draws.StepOf(0);
        Tensor noise = Draws.Noise(problem, 3, 0),
            latents = NoiseSchedule.AddNoise(problem.Latents, noise, problem.Grid.Schedule.At(step.Timestep));
        Tensor prediction = problem.Predictor.Predict(latents, step, problem.Conditional);
        if (nullText)
            prediction = Guidance.Combine(problem.Predictor.Predict(latents, step, problem.Unconditional), prediction, problem.GuidanceScale);
        Assert.Equal(TensorAssert.MeanSquare(prediction, noise), result.Optimisation[0][0].Losses[0], 1e-12);
    }

    [Fact]
    public void StepOf_DrawsFromTheSchedule_ReachAllOfIt()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        using RandomTimestepOptimisation optimisation = new("test", problem, new TextualInversionOptions { Timesteps = TimestepDraw.Schedule });
        DiffusionStep[] steps = [.. Enumerable.Range(0, 500).Select(optimisation.StepOf)];
        Assert.All(steps, s => Assert.Equal((problem.Grid.NearestStep(s.Timestep), problem.Grid.Schedule.At(s.Timestep)), (s.Step, s.Noisy)));
        // Fifty draws are expected in each tenth; the deviation is below 7.
        Assert.All(Enumerable.Range(0, 10), tenth => Assert.InRange(steps.Count(s => s.Timestep / 100 == tenth), 20, 80));
    }

    [Fact]
    public void Textual_ManyIterations_LowerTheDiffusionLoss()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult result = new TextualInversion(new TextualInversionOptions { InnerSteps = 60 }).Invert(problem);
        // The same draws with an embedding that does not move: most of the loss is noise that nothing can predict.
        using InversionResult still = new TextualInversion(new TextualInversionOptions { InnerSteps = 60, LearningRate = 1e-30 }).Invert(problem);
        for (int image = 0; image < 2; image++)
        {
            IReadOnlyList<double> losses = Assert.Single(result.Optimisation[image]).Losses;
            Assert.Equal(600, losses.Count);
            Assert.Equal(still.Optimisation[image][0].Losses[0], losses[0], 12);
            Assert.True(losses.TakeLast(200).Average() < still.Optimisation[image][0].Losses.TakeLast(200).Average());
        }
        TensorAssert.Close(problem.Unconditional.Tokens, result.Unconditional.Values, 0);
        Assert.True(TensorAssert.MaxDifference(problem.Conditional.Tokens, result.Conditional.Values) > 0.1);
    }

    [Fact]
    public void Textual_Paths_StartFromTheInversionTheyName()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using PivotTrajectory original = DdimInversion.Trajectory(problem);
        using InversionResult prompt = new TextualInversion(new TextualInversionOptions { Path = TextualPath.InvertWithPrompt }).Invert(problem);
        TensorAssert.Close(original.Noisiest, prompt.StartLatents, 0);
        using InversionResult optimised = new TextualInversion().Invert(problem);
        using PivotTrajectory own = DdimInversion.Trajectory(problem with { Conditional = optimised.Conditional.Values });
        TensorAssert.Close(own.Noisiest, optimised.StartLatents, 0);
        TensorAssert.Close(prompt.Conditional.Values, optimised.Conditional.Values, 0);
    }

    [Fact]
    public void Textual_FromNoise_StartsElsewhere()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult result = new TextualInversion(new TextualInversionOptions { InnerSteps = 0, Start = TextualStart.Noise }).Invert(problem);
        Assert.True(TensorAssert.MaxDifference(problem.Conditional.Tokens, result.Conditional.Values) > 0.1);
        Assert.True(TensorAssert.MaxDifference(result.Conditional.Values[0], result.Conditional.Values[1]) > 0.1);
    }

    [Fact]
    public void RandomTimesteps_FromTheSchedule_CoverItAndFromTheGridOnlyTheGrid()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using (new NonPivotalInversion(new NonPivotalOptions { InnerSteps = 40 }).Invert(problem))
        {
            int[] grid = [.. problem.Grid.Moves.Select(m => m.Timestep).Order()];
            Assert.Equal(grid, predictor.Timesteps.Skip(10).Distinct().Order());
        }
        predictor.Timesteps.Clear();
        using (new NonPivotalInversion(new NonPivotalOptions { InnerSteps = 40, Timesteps = TimestepDraw.Schedule }).Invert(problem))
        {
            int[] drawn = [.. predictor.Timesteps.Skip(10)];
            Assert.InRange(drawn.Min(), 0, 30);
            Assert.InRange(drawn.Max(), 970, 999);
            Assert.InRange(drawn.Average(), 440, 560);
        }
    }

    [Fact]
    public void NonPivotal_Definition_FitsTheGuidedPredictionToFreshNoise()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        using InversionResult result = new NonPivotalInversion(new NonPivotalOptions { InnerSteps = 60 }).Invert(problem);
        using PivotTrajectory original = DdimInversion.Trajectory(problem);
        TensorAssert.Close(original.Noisiest, result.StartLatents, 0);
        TensorAssert.Close(problem.Conditional.Tokens, result.Conditional.Values, 0);
        using InversionResult still = new NonPivotalInversion(new NonPivotalOptions { InnerSteps = 60, LearningRate = 1e-30 }).Invert(problem);
        Assert.True(result.Optimisation[0][0].Losses.TakeLast(200).Average() < still.Optimisation[0][0].Losses.TakeLast(200).Average());
        // Two evaluations per iteration, one of them with gradient, and the inversion.
        Assert.Equal(10 + 2 * 600, result.EvaluationsPerImage);
        Assert.Equal(600, result.BackwardsPerImage);
    }

    [Fact]
    public void NonPivotal_PerStep_ChangesOnlyDrawnSteps()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        IReadOnlyList<InversionResult> curve = new NonPivotalInversion(new NonPivotalOptions { PerStep = true }).InvertAnyTime(problem, [1]);
        using InversionResult one = curve[0];
        int changed = Assert.Single(Enumerable.Range(0, 10), i => TensorAssert.MaxDifference(one.Unconditional.At(i).Tokens, problem.Unconditional.Tokens) > 0);
        // The call after those of the inversion is the first draw's.
        Assert.Equal(problem.Grid.Moves[changed].Timestep, predictor.Timesteps[10]);
    }

    [Fact]
    public void Rows_OnlyTheLeadingOnesMove()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        long tokens = problem.Unconditional.Tokens.shape[^2];
        IInversion[] methods =
        [
            new NullTextInversion(NoStop with { InnerSteps = 3, Rows = 1 }),
            new RandomPivotInversion(NoStop with { InnerSteps = 3, Rows = 1 }),
            new NonPivotalInversion(new NonPivotalOptions { InnerSteps = 3, Rows = 1 }),
        ];
        foreach (IInversion method in methods)
        {
            using InversionResult result = method.Invert(problem);
            Tensor moved = result.Unconditional.At(0).Tokens.sub(problem.Unconditional.Tokens).abs();
            Assert.True(moved.narrow(-2, 0, 1).max().item<double>() > 1e-4, method.Name);
            Assert.Equal(0, moved.narrow(-2, 1, tokens - 1).max().item<double>());
        }
    }

    [Fact]
    public void Rows_AsManyAsThereAre_IsTheSameAsAll_AndZeroIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        using InversionResult all = new NullTextInversion(NoStop with { InnerSteps = 2 }).Invert(problem);
        using InversionResult some = new NullTextInversion(NoStop with { InnerSteps = 2, Rows = 1000 }).Invert(problem);
        TensorAssert.Close(all.Unconditional.At(0).Tokens, some.Unconditional.At(0).Tokens, 0);
        Assert.Contains(
            "Rows is 0",
            Assert.Throws<ArgumentException>(() => new NullTextInversion(NoStop with { Rows = 0 }).Invert(problem)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Rows is 0",
            Assert.Throws<ArgumentException>(() => new NonPivotalInversion(new NonPivotalOptions { Rows = 0 }).Invert(problem)).Message,
            StringComparison.Ordinal
        );
    }
}
