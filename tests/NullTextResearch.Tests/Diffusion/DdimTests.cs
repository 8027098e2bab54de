using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

public class DdimTests
{
    [Fact]
    public void Move_ThereAndBackWithTheSameNoise_IsIdentity()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = arange(32, ScalarType.Float64).sin().reshape(2, 4, 2, 2);
        Tensor noise = arange(32, ScalarType.Float64).mul(1.3).cos().reshape(2, 4, 2, 2);
        foreach (DiffusionStep step in new TimestepGrid(NoiseSchedule.StableDiffusion, 50).Moves)
        {
            Tensor there = Ddim.Move(latents, noise, step.Noisy, step.Clean);
            TensorAssert.Close(latents, Ddim.Move(there, noise, step.Clean, step.Noisy), 1e-13);
        }
    }

    [Fact]
    public void Move_AlongTheTrueNoise_StaysOnTheNoisedImage()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = arange(16, ScalarType.Float64).sin().reshape(1, 4, 2, 2);
        Tensor noise = arange(16, ScalarType.Float64).mul(1.3).cos().reshape(1, 4, 2, 2);
        AlphaBar from = new(0.1), to = new(0.7);
        Tensor moved = Ddim.Move(NoiseSchedule.AddNoise(image, noise, from), noise, from, to);
        TensorAssert.Close(NoiseSchedule.AddNoise(image, noise, to), moved, 1e-13);
    }

    [Theory]
    [InlineData(981, -.12325)]
    [InlineData(501, -.05744)]
    [InlineData(101, -.04368)]
    [InlineData(41, -.05974)]
    [InlineData(21, -.10006)]
    [InlineData(1, -.01214)]
    public void NoiseCoefficient_OnFiftySteps_HasThePublishedValues(int timestep, double expected)
    {
        DiffusionStep step = new TimestepGrid(NoiseSchedule.StableDiffusion, 50).Moves.Single(m => m.Timestep == timestep);
        Assert.Equal(expected, Ddim.NoiseCoefficient(step.Noisy, step.Clean), 5);
    }

    [Fact]
    public void Move_ShapesDiffer_SaysWhich()
    {
        using DisposeScope scope = NewDisposeScope();
        ShapeMismatchException error = Assert.Throws<ShapeMismatchException>(() => Ddim.Move(zeros(1, 4, 2, 2), zeros(1, 4, 2, 3), new AlphaBar(0.5), new AlphaBar(0.6)));
        Assert.Contains("noisePrediction", error.Message);
    }
}

public class NoiseScheduleTests
{
    [Theory]
    [InlineData(0, .999150)]
    [InlineData(1, .998296)]
    [InlineData(21, .980381)]
    [InlineData(41, .960873)]
    [InlineData(261, .655669)]
    [InlineData(501, .274999)]
    [InlineData(961, .007282)]
    [InlineData(981, .005776)]
    [InlineData(999, .004660)]
    public void At_StableDiffusion_HasThePublishedValues(int timestep, double expected) =>
        Assert.Equal(expected, NoiseSchedule.StableDiffusion.At(timestep).Value, 1e-6);

    [Fact]
    public void At_BeforeTheFirstTimestep_IsThatOfTimestepZeroUnlessAskedForOne()
    {
        Assert.Equal(NoiseSchedule.StableDiffusion.At(0), NoiseSchedule.StableDiffusion.At(-19));
        Assert.Equal(1, NoiseSchedule.ScaledLinear(finalIsOne: true).At(-1).Value);
        Assert.Throws<ArgumentOutOfRangeException>(() => NoiseSchedule.StableDiffusion.At(1000));
    }

    [Fact]
    public void Grid_FiftySteps_Are981To1()
    {
        TimestepGrid grid = new(NoiseSchedule.StableDiffusion, 50);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => 981 - 20 * i), grid.Moves.Select(m => m.Timestep));
        Assert.Equal(grid.Moves[0].Noisy, grid.Level(50));
        Assert.Equal(grid.Moves[^1].Clean, grid.Level(0));
        Assert.All(grid.Moves.Zip(grid.Moves.Skip(1)), pair => Assert.Equal(pair.First.Clean, pair.Second.Noisy));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    [InlineData(1000)]
    public void Grid_StepsThatDoNotFit_AreRefused(int steps) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TimestepGrid(NoiseSchedule.StableDiffusion, steps));
}

public class SamplerTests
{
    [Fact]
    public void Run_WithEqualEmbeddings_GivesTheSameAtAnyGuidance()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        using StepEmbeddings both = StepEmbeddings.Constant(problem.Conditional);
        Tensor At(double w) => Sampler.Run(predictor, problem.Grid, new SamplingPlan { StartLatents = problem.Latents, Conditional = both, Unconditional = both, GuidanceScale = w });
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
        Sampler.Run(predictor, problem.Grid, new SamplingPlan { StartLatents = problem.Latents, Conditional = conditional, GuidanceScale = 1 });
        Assert.Equal(20, predictor.Calls.Sum());
        Assert.Contains("unconditional", Assert.Throws<ArgumentException>(() =>
            Sampler.Run(predictor, problem.Grid, new SamplingPlan { StartLatents = problem.Latents, Conditional = conditional, GuidanceScale = 2 })).Message);
    }

    [Fact]
    public void Run_FirstStep_SkipsTheNoisyOnes()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        Sampler.Run(predictor, problem.Grid, new SamplingPlan { StartLatents = problem.Latents, Conditional = conditional, GuidanceScale = 1, FirstStep = 7 });
        Assert.Equal([201, 101, 1], predictor.Timesteps);
    }

    [Fact]
    public void Run_AfterStep_MayReplaceTheLatents()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem();
        using StepEmbeddings conditional = StepEmbeddings.Constant(problem.Conditional);
        SamplingPlan plan = new() { StartLatents = problem.Latents, Conditional = conditional, GuidanceScale = 1 };
        Tensor zero = Sampler.Run(predictor, problem.Grid, plan, (_, z) => z.mul(0));
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
        SamplingPlan plan = new() { StartLatents = problem.Latents, Conditional = conditional, GuidanceScale = 1 };
        using CancellationTokenSource source = new();
        predictor.BeforePrediction = () =>
        {
            if (predictor.Calls.Count == 4) source.Cancel();
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
        Tensor perStep = stack([problem.Conditional, problem.Conditional.mul(0.5), problem.Conditional.neg()]);
        using StepEmbeddings conditional = StepEmbeddings.PerStep(perStep);
        Tensor run = Sampler.Run(predictor, problem.Grid, new SamplingPlan { StartLatents = problem.Latents, Conditional = conditional, GuidanceScale = 1 });
        Tensor latents = problem.Latents;
        foreach (DiffusionStep step in problem.Grid.Moves) latents = Ddim.Move(latents, predictor.Predict(latents, step, perStep[step.Step]), step.Noisy, step.Clean);
        TensorAssert.Close(latents, run, 1e-14);
    }

    [Fact]
    public void Combine_AtGuidanceOne_IsConditional()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor u = arange(16, ScalarType.Float64).sin().reshape(1, 4, 2, 2), c = arange(16, ScalarType.Float64).cos().reshape(1, 4, 2, 2);
        TensorAssert.Close(c, Guidance.Combine(u, c, 1), 1e-15);
        TensorAssert.Close(u, Guidance.Combine(u, c, 0), 0);
    }
}
