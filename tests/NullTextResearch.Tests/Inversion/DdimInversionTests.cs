using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

[LeavesNoTensors]
public class DdimInversionTests
{
    [Fact]
    public void Trajectory_AtGuidanceOne_AsksTheDestinationTimestepFromCleanToNoisy()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        using PivotTrajectory pivot = DdimInversion.Trajectory(predictor.Problem());
        Assert.Equal(Enumerable.Range(0, 10).Select(i => 1 + 100 * i), predictor.Timesteps);
        Assert.Equal(10, pivot.Steps);
        Assert.All(predictor.Calls, rows => Assert.Equal(1, rows));
    }

    [Fact]
    public void Trajectory_WithSourceTimestep_AsksOneLevelEarlier()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        using PivotTrajectory pivot = DdimInversion.Trajectory(predictor.Problem(), new DdimInversionOptions { NoiseTimestep = NoiseTimestep.Source });
        Assert.Equal([0, 1, 101, 201, 301, 401, 501, 601, 701, 801], predictor.Timesteps);
    }

    [Fact]
    public void Trajectory_OneMove_IsTheClosedForm()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem);
        DiffusionStep last = problem.Grid.Moves[^1];
        double a = last.Clean.AlphaBar,
            b = last.Noisy.AlphaBar;
        Tensor noise = predictor.Predict(problem.Latents, last, problem.Conditional);
        Tensor clean = problem.Latents.sub(noise.Times(Math.Sqrt(1 - a))).Over(Math.Sqrt(a));
        TensorAssert.Close(clean.Times(Math.Sqrt(b)).Plus(noise.Times(Math.Sqrt(1 - b))), pivot[1], 1e-12);
        TensorAssert.Close(problem.Latents, pivot.Clean, 0);
    }

    [Theory]
    [InlineData(3.0)]
    [InlineData(0.5)]
    public void Trajectory_AwayFromGuidanceOne_MixesBothEmbeddings(double scale)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        DdimInversionOptions options = new() { GuidanceScale = scale };
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem, options);
        Assert.All(predictor.Calls, rows => Assert.Equal(4, rows));
        DiffusionStep last = problem.Grid.Moves[^1];
        Tensor unconditional = predictor.Predict(problem.Latents, last, problem.Unconditional.Tokens.expand(2, -1, -1));
        Tensor conditional = predictor.Predict(problem.Latents, last, problem.Conditional);
        Tensor noise = unconditional.Plus(conditional.sub(unconditional).Times(scale));
        TensorAssert.Close(Ddim.Move(problem.Latents, noise, last.Clean, last.Noisy), pivot[1], 1e-12);
        // With equal embeddings the scale does not matter.
        InversionProblem same = problem with
        {
            Conditional = problem.Unconditional.Tokens.expand(2, -1, -1),
        };
        using PivotTrajectory guided = DdimInversion.Trajectory(same, options);
        using PivotTrajectory plain = DdimInversion.Trajectory(same);
        TensorAssert.Close(plain.Noisiest, guided.Noisiest, 1e-12);
    }

    [Fact]
    public void Invert_SampledAtGuidanceOne_ReconstructsBetterThanAtSevenAndAHalf()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        double Error(double w)
        {
            InversionProblem problem = predictor.Problem(images: 3, steps: 50, guidanceScale: w);
            using InversionResult result = new DdimInversion().Invert(problem);
            return TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, result), problem.Latents);
        }
        Assert.True(Error(1) < 0.05 * Error(7.5), $"{Error(1)} against {Error(7.5)}");
    }

    [Fact]
    public void Invert_MoreSteps_ReconstructsBetterAtGuidanceOne()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        double Error(int steps)
        {
            InversionProblem problem = predictor.Problem(images: 3, steps: steps, guidanceScale: 1);
            using InversionResult result = new DdimInversion().Invert(problem);
            return TensorAssert.MeanSquare(AllInversions.Reconstruct(problem, result), problem.Latents);
        }
        Assert.True(Error(100) < Error(20) && Error(20) < Error(5));
    }

    [Fact]
    public void Trajectory_TargetOf_RunsFromSecondNoisiestToClean()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem);
        TensorAssert.Close(pivot[9], pivot.TargetOf(problem.Grid.Moves[0]), 0);
        TensorAssert.Close(pivot.Clean, pivot.TargetOf(problem.Grid.Moves[^1]), 0);
        using PivotTrajectory second = pivot.Image(1);
        TensorAssert.Close(pivot.Noisiest.narrow(0, 1, 1), second.Noisiest, 0);
    }
}
