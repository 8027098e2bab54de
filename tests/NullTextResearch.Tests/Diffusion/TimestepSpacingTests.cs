using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

/// <summary>The three spacings of Lin et al. 2023, table 2, in the numbers that NumPy gives for them.</summary>
[LeavesNoTensors]
public sealed class TimestepSpacingTests
{
    [Theory]
    [InlineData(TimestepSpacing.Leading, 5, new[] { 801, 601, 401, 201, 1 })]
    [InlineData(TimestepSpacing.Leading, 3, new[] { 667, 334, 1 })]
    [InlineData(TimestepSpacing.Trailing, 5, new[] { 999, 799, 599, 399, 199 })]
    [InlineData(TimestepSpacing.Trailing, 3, new[] { 999, 666, 332 })]
    [InlineData(TimestepSpacing.Trailing, 1, new[] { 999 })]
    [InlineData(TimestepSpacing.Linspace, 5, new[] { 999, 749, 500, 250, 0 })]
    [InlineData(TimestepSpacing.Linspace, 3, new[] { 999, 500, 0 })]
    public void Grid_Spacing_VisitsThePublishedTimesteps(TimestepSpacing spacing, int steps, int[] expected)
    {
        TimestepGrid grid = Grid(spacing, steps);
        Assert.Equal(expected, grid.Moves.Select(m => m.Timestep));
        Assert.All(grid.Moves, m => Assert.Equal(grid.Schedule.At(m.Timestep), m.Noisy));
        Assert.All(grid.Moves.Zip(grid.Moves.Skip(1)), pair => Assert.Equal(pair.First.Clean, pair.Second.Noisy));
        Assert.Equal(grid.Schedule.Final, grid.Moves[^1].Clean);
    }

    /// <summary>Where the final level differs from that of timestep 0. Only leading spacing goes on by its stride, which may end inside the table.</summary>
    [Theory]
    [InlineData(TimestepSpacing.Leading, 6, -1)]
    [InlineData(TimestepSpacing.Leading, 999, 0)]
    [InlineData(TimestepSpacing.Trailing, 6, -1)]
    [InlineData(TimestepSpacing.Linspace, 6, -1)]
    public void Grid_FinalLevelOfOne_IsWhereTheLastMoveEnds(TimestepSpacing spacing, int steps, int timestep)
    {
        NoiseSchedule schedule = NoiseSchedule.Of(new ScheduleConfig { Spacing = spacing, FinalIsOne = true });
        Assert.Equal(schedule.At(timestep), new TimestepGrid(schedule, steps).Moves[^1].Clean);
    }

    [Theory]
    [InlineData(TimestepSpacing.Leading)]
    [InlineData(TimestepSpacing.Trailing)]
    [InlineData(TimestepSpacing.Linspace)]
    public void NearestStep_OfEachMove_IsItself_AndOfOthersTheNearest(TimestepSpacing spacing)
    {
        TimestepGrid grid = Grid(spacing, 7);
        Assert.All(grid.Moves, m => Assert.Equal(m.Step, grid.NearestStep(m.Timestep)));
        for (int t = 0; t < 1000; t++)
            Assert.Equal(grid.Moves.Min(m => Math.Abs(m.Timestep - t)), Math.Abs(grid.Moves[grid.NearestStep(t)].Timestep - t));
    }

    [Theory]
    [InlineData(TimestepSpacing.Leading)]
    [InlineData(TimestepSpacing.Trailing)]
    [InlineData(TimestepSpacing.Linspace)]
    public void NullText_AnySpacing_RebuildsBetterThanPlainGuidance(TimestepSpacing spacing)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem() with { Grid = Grid(spacing, 9) };
        using InversionResult plain = new DdimInversion().Invert(problem),
            tuned = new NullTextInversion().Invert(problem);
        double Distance(InversionResult result)
        {
            using Tensor rebuilt = Sampler.Run(problem.Predictor, problem.Grid, result.Plan);
            return TensorAssert.MeanSquare(rebuilt, problem.Latents);
        }

        Assert.True(Distance(tuned) < Distance(plain), $"{Distance(tuned)} is not below {Distance(plain)}");
    }

    private static TimestepGrid Grid(TimestepSpacing spacing, int steps) => new(NoiseSchedule.Of(new ScheduleConfig { Spacing = spacing }), steps);
}
