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
                Assert.InRange(updates, 0, options.InnerSteps);
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
            TensorAssert.Close(alone.Unconditional.Values, batch.Unconditional.Values.narrow(1, image, 1), 1e-9);
            Assert.Equal(alone.Optimisation[0].Select(s => s.Losses.Count), batch.Optimisation[image].Select(s => s.Losses.Count));
        }
    }

    [Theory]
    [InlineData("search", 1)]
    [InlineData("fast, much to do", 4)]
    [InlineData("budget", 4)]
    [InlineData("budget", 10)]
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
    }

    [Fact]
    public void Options_AsJson_AreUnchangedWhereTheNewOnesAreNotUsed()
    {
        // They are part of the keys of stored results, which stay valid.
        string json = JsonSerializer.Serialize(NullTextOptions.Default);
        foreach (string option in (string[])[nameof(NullTextOptions.Optimiser), nameof(NullTextOptions.Start), nameof(NullTextOptions.UpdateBudget)])
        {
            Assert.DoesNotContain($"\"{option}\"", json, StringComparison.Ordinal);
            Assert.Contains($"\"{option}\"", JsonSerializer.Serialize(NullTextOptions.Fast), StringComparison.Ordinal);
        }
        Assert.Equal(NullTextOptions.Fast, JsonSerializer.Deserialize<NullTextOptions>(JsonSerializer.Serialize(NullTextOptions.Fast)));
    }

    /// <summary>Affine in the embedding, and nothing else: the linearisation is exact.</summary>
    private sealed class Affine : INoisePredictor
    {
        public double Weight { get; init; } = 1;

        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            Lifetime.Scoped(() =>
            {
                Tensor text = condition.Tokens.flatten(1).narrow(1, 0, 16).Plus(condition.Tokens.flatten(1).narrow(1, 4, 16).Times(0.5));
                return text.Times(Weight).Plus(0.3).reshape(latents.shape);
            });
    }
}
