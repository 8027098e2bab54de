using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

[LeavesNoTensors]
public class NullTextInversionTests
{
    private static readonly NullTextOptions NoStop = NullTextOptions.Default with { StopEarly = false };

    [Fact]
    public void Invert_NoInnerSteps_EqualsDdim()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult nothing = new NullTextInversion(NullTextOptions.Default with { InnerSteps = 0 }).Invert(problem);
        using InversionResult ddim = new DdimInversion().Invert(problem);
        TensorAssert.Close(AllInversions.Reconstruct(problem, ddim), AllInversions.Reconstruct(problem, nothing), 1e-12);
        Assert.All(nothing.Optimisation[0], s => Assert.Empty(s.Losses));
    }

    [Fact]
    public void Invert_MoreInnerSteps_ReconstructsBetter()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        double[] errors =
        [
            .. new[] { 0, 1, 3, 10, 30 }.Select(n =>
            {
                using InversionResult result = new NullTextInversion(NoStop with { InnerSteps = n }).Invert(problem);
                return TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, result), problem.Latents);
            }),
        ];
        Assert.True(errors.Zip(errors.Skip(1)).All(p => p.Second < p.First), string.Join(" ", errors));
        Assert.True(errors[^1] < 0.2 * errors[0], string.Join(" ", errors));
    }

    [Fact]
    public void Invert_Losses_FallWithinAStep()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        using InversionResult result = new NullTextInversion(NoStop).Invert(problem);
        foreach (IReadOnlyList<StepOptimisation> image in result.Optimisation)
        {
            Assert.Equal(10, image.Count);
            Assert.All(image, s => Assert.Equal((10, StopReason.InnerStepLimit), (s.Losses.Count, s.Stop)));
            double first = image.Average(s => s.Losses[0]),
                last = image.Average(s => s.Losses[^1]);
            Assert.True(last < first, $"{first} -> {last}");
        }
    }

    [Fact]
    public void Invert_EarlyStop_HappensAfterTheUpdateAtTheLossBeforeIt()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 4);
        NullTextOptions options = NullTextOptions.Default with { EarlyStopLoss = 0.015, EarlyStopRise = 1e-4 };
        using InversionResult result = new NullTextInversion(options).Invert(problem);
        int[] counts = [.. result.Optimisation.SelectMany(i => i).Select(s => s.Losses.Count)];
        Assert.True(counts.Distinct().Count() > 2, "The images stopped at the same inner step: the test shows nothing.");
        foreach (IReadOnlyList<StepOptimisation> image in result.Optimisation)
        {
            for (int i = 0; i < image.Count; i++)
            {
                double threshold = options.EarlyStopLossAt(i);
                Assert.True(image[i].Losses.SkipLast(1).All(l => l >= threshold));
                Assert.Equal(image[i].Losses[^1] < threshold ? StopReason.EarlyStop : StopReason.InnerStepLimit, image[i].Stop);
            }
        }
        // At least one update happens at each step, also where the first loss is below the threshold.
        Tensor embeddings = result.Unconditional.Values;
        for (int i = 1; i < 10; i++)
        {
            for (int image = 0; image < 4; image++)
                Assert.True(TensorAssert.MaxDifference(embeddings[i][image], embeddings[i - 1][image]) > 0);
        }
    }

    [Fact]
    public void Invert_OneInnerStep_MovesByTheRateOfItsStep()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        using InversionResult result = new NullTextInversion(NoStop with { InnerSteps = 1 }).Invert(problem);
        // Adam's first update moves every entry by the rate, whatever its gradient.
        for (int i = 0; i < 10; i++)
            Assert.Equal(
                NoStop.LearningRateAt(i, 10),
                TensorAssert.MaxDifference(result.Unconditional.At(i).Tokens, (i == 0 ? problem.Unconditional : result.Unconditional.At(i - 1)).Tokens),
                1e-7
            );
    }

    /// <summary>The loss of a step is what the test makes it: half a rise above the threshold at even steps, below it at odd ones.</summary>
    [Fact]
    public void Invert_LossBesideTheThreshold_StopsBelowAndOnlyThere()
    {
        using DisposeScope scope = NewDisposeScope();
        double LossOf(int step) => step % 2 == 0 ? (2 * step + 2) * 1e-5 : 2 * step * 1e-5;
        IReadOnlyList<StepOptimisation> steps = OptimiseAgainst(LossOf, NullTextOptions.Default with { InnerSteps = 3 });
        Assert.Equal(Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? 3 : 1), steps.Select(s => s.Losses.Count));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => i % 2 == 0 ? StopReason.InnerStepLimit : StopReason.EarlyStop), steps.Select(s => s.Stop));
        for (int i = 0; i < 10; i++)
            Assert.Equal(LossOf(i), steps[i].Losses[0], 1e-12);
    }

    [Fact]
    public void Invert_LossAtTheThreshold_GoesOn()
    {
        using DisposeScope scope = NewDisposeScope();
        // A power of 4: root, square and mean are exact.
        double loss = Math.Pow(4, -8);
        Assert.All(
            OptimiseAgainst(_ => loss, NullTextOptions.Default with { InnerSteps = 2, EarlyStopLoss = loss, EarlyStopRise = 0 }),
            s =>
            {
                Assert.Equal([loss, loss], s.Losses);
                Assert.Equal(StopReason.InnerStepLimit, s.Stop);
            }
        );
    }

    /// <summary>Ten steps of a network that predicts nothing, against a pivot that makes the loss of each step a given number.</summary>
    private static IReadOnlyList<StepOptimisation> OptimiseAgainst(Func<int, double> lossOf, NullTextOptions options)
    {
        InversionProblem problem = new ToyPredictor().Problem() with { Predictor = new Nothing() };
        problem = problem with { Latents = problem.Latents.Times(0) };
        using PivotTrajectory pivot = new(
            Enumerable.Range(0, 10).Reverse().Select(i => Constants.Full(problem.Latents, Math.Sqrt(lossOf(i)))).Append(problem.Latents)
        );
        using InversionResult result = new NullTextInversion(options).Invert(problem, pivot);
        return result.Optimisation[0];
    }

    [Fact]
    public void Invert_EarlyStopsAtDifferentSteps_EqualOneByOne()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        NullTextInversion inversion = new(NullTextOptions.Default with { EarlyStopLoss = 0.015, EarlyStopRise = 1e-4 });
        using InversionResult batch = inversion.Invert(predictor.Problem(images: 4));
        Assert.Contains(Enumerable.Range(0, 10), step => batch.Optimisation.Select(i => i[step].Losses.Count).Distinct().Count() > 2);
        for (int i = 0; i < 4; i++)
        {
            using InversionResult alone = inversion.Invert(predictor.Problem(first: i));
            TensorAssert.Close(alone.Unconditional.Values, batch.Unconditional.Values.narrow(1, i, 1), 1e-6);
            Assert.Equal(alone.Optimisation[0].Select(s => (s.Losses.Count, s.Stop)), batch.Optimisation[i].Select(s => (s.Losses.Count, s.Stop)));
        }
    }

    [Fact]
    public void Invert_StoppedImages_CostNoFurtherEvaluations()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 4);
        using InversionResult result = new NullTextInversion(NullTextOptions.Default with { EarlyStopLoss = 0.015 }).Invert(problem);
        double inner = result.Optimisation.Sum(i => i.Sum(s => s.Losses.Count)) / 4.0;
        Assert.Equal(10 + 10 + inner + 10, result.EvaluationsPerImage);
        Assert.Equal(inner, result.BackwardsPerImage);
        Assert.Equal(predictor.Calls.Sum() / 4.0, result.EvaluationsPerImage);
        Assert.True(inner < 100);
    }

    [Fact]
    public void Invert_ReusingTheLastPrediction_SavesOneEvaluationPerStepAndStaysClose()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult faithful = new NullTextInversion(NoStop).Invert(problem);
        using InversionResult fast = new NullTextInversion(NoStop with { Advance = AdvanceMode.ReuseLastInner }).Invert(problem);
        Assert.Equal(faithful.EvaluationsPerImage - 10, fast.EvaluationsPerImage);
        double between = TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, faithful), AllInversions.Reconstruct(problem, fast));
        using InversionResult ddim = new DdimInversion().Invert(problem);
        double gained = TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, faithful), AllInversions.Reconstruct(problem, ddim));
        Assert.True(between > 0, "Both advance the same way.");
        Assert.True(between < 0.1 * gained, $"{between} apart, {gained} gained.");
    }

    [Fact]
    public void Invert_AdvancingAsReleased_GivesTheSameForOneEvaluationMorePerStep()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        foreach (
            Func<NullTextOptions, IInversion> make in new Func<NullTextOptions, IInversion>[]
            {
                o => new NullTextInversion(o),
                o => new TextualInversionWithPivot(o),
            }
        )
        {
            using InversionResult ours = make(NoStop).Invert(problem);
            using InversionResult released = make(NoStop with { Advance = AdvanceMode.ReevaluateBoth }).Invert(problem);
            TensorAssert.Close(ours.Reconstruction!, released.Reconstruction!, 1e-9);
            Assert.Equal(ours.EvaluationsPerImage + 10, released.EvaluationsPerImage);
        }
    }

    [Fact]
    public void Invert_SampledAgain_EndsAtTheRunningLatents()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        Tensor? last = null;
        using InversionResult result = new NullTextInversion().Invert(
            problem,
            null,
            state =>
            {
                last?.Dispose();
                last = state.Latents.Snapshot();
            }
        );
        TensorAssert.Close(last!, AllInversions.Reconstruct(problem, result), 1e-12);
        TensorAssert.Close(last!, result.Reconstruction!, 0);
        last!.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(10)]
    public void Invert_ResumedAfterAnInterruption_EqualsUninterrupted(int stepsDone)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 3);
        NullTextInversion inversion = new(NullTextOptions.Default with { EarlyStopLoss = 0.015 });
        using InversionResult whole = inversion.Invert(problem);
        NullTextState? saved = null;
        using CancellationTokenSource source = new();
        void Save(NullTextState state)
        {
            if (state.StepsDone != stepsDone)
                return;
            saved = state with
            {
                Embeddings = [.. state.Embeddings.Select(e => e.Snapshot())],
                Latents = state.Latents.Snapshot(),
                Pivot = state.Pivot.Copy(),
                Optimisation = [.. state.Optimisation.Select(o => o.ToArray())],
            };
            source.Cancel();
        }
        if (stepsDone < 10)
            Assert.ThrowsAny<OperationCanceledException>(() => inversion.Invert(problem, null, Save, null, source.Token));
        else
            inversion.Invert(problem, null, Save).Dispose();
        int callsBefore = predictor.Calls.Count;
        using InversionResult resumed = inversion.Invert(problem, saved, null);
        foreach (Tensor embedding in saved!.Embeddings)
            embedding.Dispose();
        saved.Latents.Dispose();
        saved.Pivot.Dispose();
        TensorAssert.Close(whole.Unconditional.Values, resumed.Unconditional.Values, 0);
        TensorAssert.Close(whole.StartLatents, resumed.StartLatents, 0);
        Assert.Equal(whole.EvaluationsPerImage, resumed.EvaluationsPerImage);
        Assert.Equal(whole.BackwardsPerImage, resumed.BackwardsPerImage);
        Assert.Equal(whole.Optimisation.Select(i => i.Sum(s => s.Losses.Count)), resumed.Optimisation.Select(i => i.Sum(s => s.Losses.Count)));
        if (stepsDone == 10)
            Assert.Equal(callsBefore, predictor.Calls.Count);
    }

    [Fact]
    public void Invert_StateOfAnotherGrid_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        NullTextInversion inversion = new();
        using PivotTrajectory pivot = DdimInversion.Trajectory(predictor.Problem(steps: 5));
        Assert.Contains("5 steps", Assert.Throws<ArgumentException>(() => inversion.Invert(predictor.Problem(steps: 10), pivot)).Message);
    }

    [Fact]
    public void Invert_AgainstAGivenPivot_EqualsFindingIt()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        NullTextInversion inversion = new();
        using InversionResult own = inversion.Invert(problem);
        using InversionResult given = inversion.Invert(problem, own.Pivot!);
        TensorAssert.Close(own.Unconditional.Values, given.Unconditional.Values, 0);
        Assert.Equal(own.EvaluationsPerImage - 10, given.EvaluationsPerImage);
    }

    [Fact]
    public void Invert_OverTwoHundredSteps_KeepsTensorCountFlat()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2, steps: 200);
        List<(int Step, long Live)> live = [];
        long before = TensorAssert.Live;
        new NullTextInversion(NoStop with { InnerSteps = 2 })
            .Invert(
                problem,
                new AllInversionsTests.Direct(p =>
                {
                    if (p.InnerStep == 2 && p.Stage != "DDIM inversion" && (live.Count == 0 || live[^1].Step != p.Step))
                        live.Add((p.Step, TensorAssert.Live));
                })
            )
            .Dispose();
        Assert.Equal(before, TensorAssert.Live);
        // Exactly the embedding of each finished step is kept.
        Assert.True(live.Count >= 200);
        Assert.Equal(150, live.Single(l => l.Step == 170).Live - live.Single(l => l.Step == 20).Live);
    }

    [Fact]
    public void Invert_InSingleFloats_StaysNearDoubles()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult doubles = new NullTextInversion(NoStop).Invert(problem);
        InversionProblem single = problem with
        {
            Latents = problem.Latents.to(ScalarType.Float32),
            Conditional = problem.Conditional.Tokens.to(ScalarType.Float32),
            Unconditional = problem.Unconditional.Tokens.to(ScalarType.Float32),
            Predictor = new InSingles(problem.Predictor),
        };
        using InversionResult singles = new NullTextInversion(NoStop).Invert(single);
        Assert.Equal(ScalarType.Float32, singles.Unconditional.Values.dtype);
        TensorAssert.Close(AllInversions.Reconstruct(problem, doubles), AllInversions.Reconstruct(single, singles), 3e-3);
    }

    [Fact]
    public void LearningRateAt_UpToAHundredSteps_IsTheReleasedCodes()
    {
        NullTextOptions options = NullTextOptions.Default;
        Assert.Equal(0.01, options.LearningRateAt(0, 50));
        Assert.Equal(1e-2 * (1 - 49 / 100.0), options.LearningRateAt(49, 50));
        Assert.Equal(1e-2 * (1 - 9 / 100.0), options.LearningRateAt(9, 10));
        Assert.Equal(1e-2 * (1 - 99 / 100.0), options.LearningRateAt(99, 100), 15);
        Assert.Equal(1e-2 * (1 - 100 / 400.0), options.LearningRateAt(100, 200), 15);
        Assert.True(options.LearningRateAt(999, 1000) > 0.005);
        Assert.Equal(1e-5 + 49 * 2e-5, options.EarlyStopLossAt(49), 15);
        Assert.Equal(0.01, NullTextOptions.Paper.LearningRateAt(49, 50));
        Assert.Equal(1e-5, NullTextOptions.Paper.EarlyStopLossAt(49));
        Assert.Equal(NoiseTimestep.Source, ((DdimInversionOptions)NullTextOptions.Paper.Inversion).NoiseTimestep);
    }

    [Fact]
    public void Validate_SeveralBadOptions_NamesAll()
    {
        NullTextOptions bad = NullTextOptions.Default with
        {
            InnerSteps = -1,
            LearningRate = 0,
            Adam = new AdamOptions { Beta2 = 1 },
        };
        string message = Assert.Throws<ArgumentException>(bad.Validate).Message;
        Assert.Contains("InnerSteps is -1", message);
        Assert.Contains("LearningRate is 0", message);
        Assert.Contains("Adam.Beta2 is 1", message);
    }

    private sealed class Nothing : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            Lifetime.Scoped(() => condition.Tokens.mean([1, 2]).Times(0).view(-1, 1, 1, 1).expand(latents.shape).clone());
    }

    private sealed class InSingles(INoisePredictor inner) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            inner.Predict(latents.to(ScalarType.Float64), step, condition with { Tokens = condition.Tokens.to(ScalarType.Float64) }).to(ScalarType.Float32);
    }
}
