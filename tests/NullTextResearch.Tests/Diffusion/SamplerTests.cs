using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
public class SamplerTests
{
    [Fact]
    public void Run_WithEqualEmbeddings_GivesTheSameAtAnyGuidance()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        using StepEmbeddings both = StepEmbeddings.Constant(problem.Conditional);
        Tensor At(double w) =>
            Sampler.Run(
                predictor,
                problem.Grid,
                new SamplingPlan
                {
                    StartLatents = problem.Latents,
                    Conditional = both,
                    Unconditional = both,
                    GuidanceScale = w,
                }
            );
        TensorAssert.Close(At(1), At(7.5), 1e-12);
        TensorAssert.Close(At(1), At(-3), 1e-12);
    }

    [Fact]
    public void Run_AtGuidanceOne_SpendsOneEvaluationPerStep()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        Sampler.Run(
            predictor,
            problem.Grid,
            new SamplingPlan
            {
                StartLatents = problem.Latents,
                Conditional = conditional,
                GuidanceScale = 1,
            }
        );
        Assert.Equal(20, predictor.Calls.Sum());
        Assert.Contains(
            "unconditional",
            Assert
                .Throws<ArgumentException>(() =>
                    Sampler.Run(
                        predictor,
                        problem.Grid,
                        new SamplingPlan
                        {
                            StartLatents = problem.Latents,
                            Conditional = conditional,
                            GuidanceScale = 2,
                        }
                    )
                )
                .Message
        );
    }

    [Fact]
    public void Run_FirstStep_SkipsTheNoisyOnes()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        Sampler.Run(
            predictor,
            problem.Grid,
            new SamplingPlan
            {
                StartLatents = problem.Latents,
                Conditional = conditional,
                GuidanceScale = 1,
                FirstStep = 7,
            }
        );
        Assert.Equal([201, 101, 1], predictor.Timesteps);
    }

    [Fact]
    public void Run_AfterStep_MayReplaceTheLatents()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        SamplingPlan plan = new()
        {
            StartLatents = problem.Latents,
            Conditional = conditional,
            GuidanceScale = 1,
        };
        Tensor zero = Sampler.Run(predictor, problem.Grid, plan, (_, z) => z.Times(0));
        Assert.Equal(0, zero.abs().max().item<double>());
        TensorAssert.Close(Sampler.Run(predictor, problem.Grid, plan), Sampler.Run(predictor, problem.Grid, plan, (_, z) => z), 0);
    }

    [Fact]
    public void Run_Cancelled_LeavesNoTensors()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        SamplingPlan plan = new()
        {
            StartLatents = problem.Latents,
            Conditional = conditional,
            GuidanceScale = 1,
        };
        using CancellationTokenSource source = new();
        predictor.BeforePrediction = () =>
        {
            if (predictor.Calls.Count == 4)
                source.Cancel();
        };
        long before = TensorAssert.Live;
        Assert.ThrowsAny<OperationCanceledException>(() => Sampler.Run(predictor, problem.Grid, plan, null, source.Token));
        Assert.Equal(before, TensorAssert.Live);
        Assert.Equal(5, predictor.Calls.Count);
    }

    [Fact]
    public void Run_PerStepEmbeddings_UsesEachAtItsStep()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(steps: 3);
        Tensor perStep = stack([problem.Conditional.Tokens, problem.Conditional.Tokens.Times(0.5), problem.Conditional.Tokens.neg()]);
        using StepEmbeddings conditional = StepEmbeddings.PerStep(perStep);
        Tensor run = Sampler.Run(
            predictor,
            problem.Grid,
            new SamplingPlan
            {
                StartLatents = problem.Latents,
                Conditional = conditional,
                GuidanceScale = 1,
            }
        );
        Tensor latents = problem.Latents;
        foreach (DiffusionStep step in problem.Grid.Moves)
            latents = Ddim.Move(latents, predictor.Predict(latents, step, perStep[step.Step]), step.Noisy, step.Clean);
        TensorAssert.Close(latents, run, 1e-14);
    }

    [Fact]
    public void Combine_AtGuidanceOne_IsConditional()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor u = ScalarArithmetic.Range(16, ScalarType.Float64).sin().reshape(1, 4, 2, 2),
            c = ScalarArithmetic.Range(16, ScalarType.Float64).cos().reshape(1, 4, 2, 2);
        TensorAssert.Close(c, Guidance.Combine(u, c, 1), 1e-15);
        TensorAssert.Close(u, Guidance.Combine(u, c, 0), 0);
    }

    /// <summary>Also below 1, where guidance is as real as above.</summary>
    [Theory]
    [InlineData(-2.0)]
    [InlineData(0.5)]
    [InlineData(3.0)]
    public void Predict_Guided_GoesFromTheUnconditionalTowardsTheConditional(double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional),
            unconditional = StepEmbeddings.Constant(problem.Unconditional);
        SamplingPlan plan = new()
        {
            StartLatents = problem.Latents,
            Conditional = conditional,
            Unconditional = unconditional,
            GuidanceScale = scale,
        };
        DiffusionStep step = problem.Grid.Moves[4];
        Tensor without = predictor.Predict(problem.Latents, step, problem.Unconditional.Tokens.expand(2, -1, -1)),
            with = predictor.Predict(problem.Latents, step, problem.Conditional);
        TensorAssert.Close(without.Times(1 - scale).Plus(with.Times(scale)), Sampler.Predict(predictor, plan, step, problem.Latents), 1e-12);
    }

    [Fact]
    public void Run_Offsets_AreAddedAfterTheMoveOfTheirStep()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(steps: 3);
        Tensor offsets = ScalarArithmetic.Range(48, ScalarType.Float64).sin().reshape(3, 1, 4, 2, 2);
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        Tensor run = Sampler.Run(
            predictor,
            problem.Grid,
            new SamplingPlan
            {
                StartLatents = problem.Latents,
                Conditional = conditional,
                GuidanceScale = 1,
                Replay = new OffsetReplay(offsets),
            }
        );
        Tensor latents = problem.Latents;
        foreach (DiffusionStep step in problem.Grid.Moves)
            latents = Ddim.Move(latents, predictor.Predict(latents, step, problem.Conditional), step.Noisy, step.Clean).Plus(offsets[step.Step]);
        TensorAssert.Close(latents, run, 1e-14);
    }
}
