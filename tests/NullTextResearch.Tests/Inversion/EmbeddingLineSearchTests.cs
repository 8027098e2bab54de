using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

/// <summary>Null texts by line searches, and the fast preset.</summary>
[LeavesNoTensors]
public sealed class EmbeddingLineSearchTests
{
    private const int Steps = 10;

    private static readonly NullTextOptions Search = NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch };

    private static readonly Dictionary<string, NullTextOptions> Settings = new()
    {
        ["search"] = Search,
        ["without stop"] = Search with { StopEarly = false, InnerSteps = 3 },
        ["one row"] = Search with { Rows = 1 },
        ["budget"] = Search with { UpdateBudget = 0.7 },
        ["fast"] = NullTextOptions.Fast,
        ["fast, much to do"] = NullTextOptions.Fast with { StopEarly = false, UpdateBudget = 2 },
        ["early stops"] = Search with { EarlyStopLoss = 0.015 },
        ["memory"] = Search with { Memory = 3, StopEarly = false, InnerSteps = 3 },
        ["last change"] = Search with { TryLastChange = true, StopEarly = false, InnerSteps = 2 },
        ["last change from the prompt, within a budget"] = NullTextOptions.Fast with { TryLastChange = true, StopEarly = false, UpdateBudget = 1.5 },
        ["first half, every second, falling"] = Search with { StopEarly = false, OptimisedShare = 0.5, OptimiseEvery = 2, InnerStepsFall = 0.7 },
    };

    public static TheoryData<string> Names => [.. Settings.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Invert_NoTimestepEndsAboveItsStart_AndTheLastLossIsThatOfTheResult(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        using InversionResult result = new NullTextInversion(Settings[name]).Invert(problem);
        foreach (StepOptimisation step in result.Optimisation.SelectMany(image => image))
        {
            Assert.True(step.Losses.Zip(step.Losses.Skip(1)).All(p => p.Second <= p.First), string.Join(" ", step.Losses));
            Assert.True(step.Stop != StopReason.NoDescent || step.Losses[^1] == step.Losses[^2]);
        }
        double last = result.Optimisation.Average(image => image[^1].Losses[^1]);
        Assert.Equal(TensorAssert.MeanSquare(result.Pivot!.Clean, result.Reconstruction!), last, 1e-12);
        TensorAssert.Close(result.Reconstruction!, AllInversions.Reconstruct(problem, result), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Invert_EndsNoFurtherFromThePivotThanWithoutOptimisation(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        using InversionResult result = new NullTextInversion(Settings[name]).Invert(problem);
        using InversionResult ddim = new DdimInversion().Invert(problem);
        using InversionResult start = new NullTextInversion(Settings[name] with { InnerSteps = 0 }).Invert(problem);
        for (int image = 0; image < 3; image++)
        {
            double Error(InversionResult of) => TensorAssert.MeanSquare(problem.Latents[image], AllInversions.Reconstruct(problem, of)[image]);
            Assert.True(Error(result) <= Error(ddim), $"{Error(result)} above {Error(ddim)}");
            Assert.True(Error(result) <= Error(start) * (1 + 1e-9), $"{Error(result)} above {Error(start)}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Invert_CountsWhatItAsksOfTheNetwork_AndKeepsToItsBudget(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        int gradients = 0;
        NullTextOptions options = Settings[name];
        NullTextInversion method = new(options) { GradientObserver = (_, _, gradient) => gradients += (int)gradient.shape[0] };
        using InversionResult result = method.Invert(problem);
        Assert.Equal(predictor.Calls.Sum(), result.EvaluationsPerImage * 2);
        Assert.Equal(gradients, result.BackwardsPerImage * 2);
        foreach (IReadOnlyList<StepOptimisation> image in result.Optimisation)
        {
            int spent = 0;
            foreach ((int index, StepOptimisation step) in image.Index())
            {
                int updates = step.Losses.Count - 1;
                spent += updates;
                Assert.InRange(updates, 0, options.InnerStepsAt(index, Steps));
                Assert.True(spent <= Math.Ceiling((options.UpdateBudget ?? options.InnerSteps) * (index + 1)), $"{spent} at step {index}");
            }
        }
    }

    [Fact]
    public void Invert_FromThePromptWithNothingToDo_IsNegativePromptInversion_ForOneEvaluationPerStep()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult fast = new NullTextInversion(NullTextOptions.Fast with { EarlyStopLoss = 1e3 }).Invert(problem);
        using InversionResult negative = new NegativePromptInversion().Invert(problem);
        Assert.Equal((2.0 * Steps, 0.0), (fast.EvaluationsPerImage, fast.BackwardsPerImage));
        TensorAssert.Close(AllInversions.Reconstruct(problem, negative), fast.Reconstruction!, 1e-12);
        Assert.All(fast.Optimisation.SelectMany(i => i), s => Assert.Equal((1, StopReason.EarlyStop), (s.Losses.Count, s.Stop)));
    }

    [Fact]
    public void Invert_APromptWithMoreThanTokens_IsPredictedTwice()
    {
        // What the conditions have beside their tokens tells them apart, so neither prediction stands for the other.
        using DisposeScope scope = NewDisposeScope();
        InversionProblem tokens = new ToyPredictor().Problem(images: 2);
        InversionProblem problem = tokens with
        {
            Conditional = tokens.Conditional with { Pooled = ones(2, 3, ScalarType.Float64) },
            Unconditional = tokens.Unconditional with { Pooled = zeros(1, 3, ScalarType.Float64) },
        };
        using InversionResult fast = new NullTextInversion(NullTextOptions.Fast with { EarlyStopLoss = 1e3 }).Invert(problem);
        Assert.Equal(3 * Steps, fast.EvaluationsPerImage);
    }

    [Fact]
    public void Invert_APredictorAffineInTheEmbedding_TakesTheStepToTheMinimum()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem toy = new ToyPredictor().Problem(steps: 1);
        // The null text is near the prompt, and so near its best value.
        InversionProblem problem = toy with
        {
            Predictor = new Affine(),
            Unconditional = toy.Conditional.Tokens.Times(1.03),
        };
        Tensor? gradient = null;
        NullTextInversion method = new(Search with { InnerSteps = 1, StopEarly = false }) { GradientObserver = (_, _, g) => gradient = g.Snapshot() };
        using InversionResult result = method.Invert(problem);
        double At(double beyond)
        {
            Tensor moved = result.Unconditional.Values[0].sub(gradient!.Times(beyond));
            DiffusionStep step = problem.Grid.Moves[0];
            Tensor noise = Guidance.Predict(problem.Predictor, result.StartLatents, step, problem.Conditional, moved, problem.GuidanceScale);
            return TensorAssert.MeanSquare(result.Pivot!.Clean, Ddim.Move(result.StartLatents, noise, step.Noisy, step.Clean));
        }
        double length = result.Unconditional.Values[0].sub(problem.Unconditional.Tokens).norm().item<double>() / gradient!.norm().item<double>();
        Assert.True(At(0) < At(0.01 * length) && At(0) < At(-0.01 * length), $"{At(-0.01 * length)} {At(0)} {At(0.01 * length)}");
        // A parabola: equally far on both sides, equally high.
        Assert.Equal(At(0.5 * length), At(-0.5 * length), 1e-9);
        Assert.Equal(At(0), result.Optimisation[0][0].Losses[^1], 1e-12);
        gradient.Dispose();
    }

    [Fact]
    public void Invert_WithAMemory_NeedsFewerUpdatesOnAParabola()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(steps: 1) with { Predictor = new Affine() };
        double After(int memory)
        {
            using InversionResult result = new NullTextInversion(Search with { Memory = memory, InnerSteps = 6, StopEarly = false }).Invert(problem);
            IReadOnlyList<double> losses = result.Optimisation[0][0].Losses;
            return losses[^1] / losses[0];
        }
        double gradient = After(0),
            one = After(1),
            many = After(6);
        Assert.True(many < 0.5 * gradient && one < gradient, $"{gradient} without, {one} with one, {many} with six");
    }

    [Fact]
    public void Invert_TheLastChange_IsTriedWithoutAGradient()
    {
        // Every timestep wants the same change: after the first one, one evaluation finds it.
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2) with { Predictor = new Affine() };
        using InversionResult elsewhere = new DdimInversion().Invert(problem with { Predictor = new Affine { Offset = 0.4 } });
        NullTextOptions options = Search with { Start = NullTextStart.Prompt, InnerSteps = 1, StopEarly = false };
        using InversionResult with = new NullTextInversion(options with { TryLastChange = true }).Invert(problem, elsewhere.Pivot!),
            without = new NullTextInversion(options).Invert(problem, elsewhere.Pivot!);
        Assert.Equal((1.0, (double)Steps), (with.BackwardsPerImage, without.BackwardsPerImage));
        Assert.True(with.EvaluationsPerImage < without.EvaluationsPerImage);
        Assert.All(with.Optimisation.SelectMany(i => i.Skip(1)), s => Assert.Equal(2, s.Losses.Count));
        Assert.All(with.Optimisation.SelectMany(i => i.Skip(1)), s => Assert.True(s.Losses[1] < s.Losses[0]));
    }

    [Fact]
    public void Invert_APredictionThatNothingChanges_EndsWithoutDescent()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2) with { Predictor = new Affine { Weight = 0 } };
        using InversionResult result = new NullTextInversion(Search with { StopEarly = false }).Invert(problem);
        Assert.All(result.Optimisation.SelectMany(i => i), s => Assert.Equal((2, StopReason.NoDescent), (s.Losses.Count, s.Stop)));
        TensorAssert.Close(problem.Unconditional.Tokens.expand(Steps, 2, -1, -1), result.Unconditional.Values, 0);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Invert_AgainAndInABatch_GivesTheSame(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        NullTextInversion method = new(Settings[name]);
        using InversionResult batch = method.Invert(predictor.Problem(images: 3)),
            again = method.Invert(predictor.Problem(images: 3));
        TensorAssert.Close(batch.Unconditional.Values, again.Unconditional.Values, 0);
        for (int image = 0; image < 3; image++)
        {
            using InversionResult alone = method.Invert(predictor.Problem(images: 1, first: image));
            // Remembered curvature is a difference of gradients, which enlarges the rounding of one evaluation.
            TensorAssert.Close(alone.Unconditional.Values, batch.Unconditional.Values.narrow(1, image, 1), name == "memory" ? 1e-6 : 1e-9);
            Assert.Equal(alone.Optimisation[0].Select(s => s.Losses.Count), batch.Optimisation[image].Select(s => s.Losses.Count));
        }
    }

    [Theory]
    [InlineData("search", 1)]
    [InlineData("fast, much to do", 4)]
    [InlineData("budget", 4)]
    [InlineData("budget", 10)]
    [InlineData("memory", 4)]
    [InlineData("last change", 4)]
    [InlineData("last change from the prompt, within a budget", 6)]
    [InlineData("first half, every second, falling", 3)]
    public void Invert_ResumedAfterAnInterruption_EqualsUninterrupted(string name, int stepsDone)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        NullTextInversion method = new(Settings[name]);
        NullTextState? saved = null;
        using InversionResult whole = method.Invert(
            problem,
            null,
            state =>
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
            }
        );
        using InversionResult resumed = method.Invert(problem, saved, null);
        foreach (Tensor embedding in saved!.Embeddings)
            embedding.Dispose();
        saved.Latents.Dispose();
        saved.Pivot.Dispose();
        TensorAssert.Close(whole.Unconditional.Values, resumed.Unconditional.Values, 0);
        TensorAssert.Close(whole.Reconstruction!, resumed.Reconstruction!, 0);
        Assert.Equal(whole.EvaluationsPerImage, resumed.EvaluationsPerImage);
        Assert.Equal(whole.Optimisation.SelectMany(i => i).SelectMany(s => s.Losses), resumed.Optimisation.SelectMany(i => i).SelectMany(s => s.Losses));
    }

    [Fact]
    public void Validate_OptionsOfTheOtherOptimiser_NamesAll()
    {
        string adam = Assert.Throws<ArgumentException>((NullTextOptions.Default with { UpdateBudget = 0.5, Start = (NullTextStart)7 }).Validate).Message;
        Assert.Contains("UpdateBudget applies to Optimiser = LineSearch", adam, StringComparison.Ordinal);
        Assert.Contains("Start is 7; it must be LastStep or Prompt", adam, StringComparison.Ordinal);
        string search = Assert.Throws<ArgumentException>((Search with { UpdateBudget = -1, Advance = AdvanceMode.ReuseLastInner }).Validate).Message;
        Assert.Contains("UpdateBudget is -1; it must be 0 or more", search, StringComparison.Ordinal);
        Assert.Contains("with Optimiser = LineSearch it must be Reevaluate", search, StringComparison.Ordinal);
        string all = Assert
            .Throws<ArgumentException>(
                (NullTextOptions.Default with { Memory = 2, TryLastChange = true, InnerStepsFall = 2, OptimisedShare = -1, OptimiseEvery = 0 }).Validate
            )
            .Message;
        Assert.Contains("Memory applies to Optimiser = LineSearch", all, StringComparison.Ordinal);
        Assert.Contains("TryLastChange applies to Optimiser = LineSearch", all, StringComparison.Ordinal);
        Assert.Contains("InnerStepsFall is 2; it must lie in [0, 1]", all, StringComparison.Ordinal);
        Assert.Contains("OptimisedShare is -1; it must lie in [0, 1]", all, StringComparison.Ordinal);
        Assert.Contains("OptimiseEvery is 0; it must be at least 1", all, StringComparison.Ordinal);
        Assert.Contains(
            "Memory is -1; it must be 0 or more",
            Assert.Throws<ArgumentException>((Search with { Memory = -1 }).Validate).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(0, null, null, "10 10 10 10 10")]
    [InlineData(0.9, null, null, "10 8 6 3 1")]
    [InlineData(1, null, null, "10 8 5 3 1")]
    [InlineData(0, 0.5, null, "10 10 10 0 0")]
    [InlineData(0, 0.0, null, "0 0 0 0 0")]
    [InlineData(0, null, 2, "10 0 10 0 10")]
    [InlineData(1, 0.5, 2, "10 0 5 0 0")]
    public void InnerStepsAt_SaysHowManyUpdatesEachTimestepMayTake(double fall, double? share, int? every, string expected)
    {
        NullTextOptions options = NullTextOptions.Default with { InnerStepsFall = fall, OptimisedShare = share, OptimiseEvery = every };
        Assert.Equal(expected, string.Join(' ', Enumerable.Range(0, 5).Select(step => options.InnerStepsAt(step, 5))));
        Assert.All(Enumerable.Range(0, 5), step => Assert.Equal(0, (options with { InnerSteps = 0 }).InnerStepsAt(step, 5)));
        Assert.Equal(share == 0 ? 0 : 10, options.InnerStepsAt(0, 1));
    }

    [Fact]
    public void Invert_AdamOnSomeTimesteps_LeavesTheOthersAsTheyWere()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        NullTextOptions options = NullTextOptions.Default with
        {
            StopEarly = false,
            InnerSteps = 4,
            InnerStepsFall = 1,
            OptimisedShare = 0.6,
            OptimiseEvery = 2,
        };
        using InversionResult result = new NullTextInversion(options).Invert(problem),
            reused = new NullTextInversion(options with { Advance = AdvanceMode.ReuseLastInner }).Invert(problem);
        int[] updates = [.. Enumerable.Range(0, Steps).Select(step => options.InnerStepsAt(step, Steps))];
        Assert.Equal([4, 0, 3, 0, 2, 0, 0, 0, 0, 0], updates);
        foreach (InversionResult one in new[] { result, reused })
        {
            Assert.Equal(updates.Sum(), one.BackwardsPerImage);
            Assert.All(one.Optimisation, image => Assert.Equal(updates, image.Select(step => step.Losses.Count)));
            for (int step = 1; step < Steps; step++)
            {
                double moved = one.Unconditional.Values[step].sub(one.Unconditional.Values[step - 1]).abs().max().item<double>();
                Assert.Equal(updates[step] > 0, moved > 0);
            }
        }
    }

    [Fact]
    public void Options_AsJson_AreUnchangedWhereTheNewOnesAreNotUsed()
    {
        // They are part of the keys of stored results, which stay valid.
        string json = JsonSerializer.Serialize(NullTextOptions.Default);
        NullTextOptions all = NullTextOptions.Fast with { Memory = 1, TryLastChange = true, InnerStepsFall = 0.5, OptimisedShare = 0.5, OptimiseEvery = 2 };
        foreach (
            string option in (string[])
                [
                    nameof(NullTextOptions.Optimiser),
                    nameof(NullTextOptions.Start),
                    nameof(NullTextOptions.UpdateBudget),
                    nameof(NullTextOptions.Memory),
                    nameof(NullTextOptions.TryLastChange),
                    nameof(NullTextOptions.InnerStepsFall),
                    nameof(NullTextOptions.OptimisedShare),
                    nameof(NullTextOptions.OptimiseEvery),
                ]
        )
        {
            Assert.DoesNotContain($"\"{option}\"", json, StringComparison.Ordinal);
            Assert.Contains($"\"{option}\"", JsonSerializer.Serialize(all), StringComparison.Ordinal);
        }
        Assert.Equal(all, JsonSerializer.Deserialize<NullTextOptions>(JsonSerializer.Serialize(all)));
    }

    /// <summary>Affine in the embedding, and nothing else: the linearisation is exact.</summary>
    private sealed class Affine : INoisePredictor
    {
        public double Weight { get; init; } = 1;

        public double Offset { get; init; } = 0.3;

        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            Lifetime.Scoped(() =>
            {
                Tensor text = condition.Tokens.flatten(1).narrow(1, 0, 16).Plus(condition.Tokens.flatten(1).narrow(1, 4, 16).Times(0.5));
                return text.Times(Weight).Plus(Offset).reshape(latents.shape);
            });
    }
}
