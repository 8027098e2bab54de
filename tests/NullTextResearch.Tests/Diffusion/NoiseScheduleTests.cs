using System.Runtime.InteropServices;
using NullTextResearch.Diffusion;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
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
        Assert.Equal(expected, NoiseSchedule.StableDiffusion.At(timestep).AlphaBar, 1e-6);

    [Fact]
    public void ScaledLinear_StableDiffusion_EqualsTheOriginalTablesBitForBit()
    {
        // FNV-1a of the little-endian float32 tables that diffusers 0.8.1 makes.
        Assert.Equal(0xacc09ed305ed68f4UL, Hash([.. NoiseSchedule.Betas()]));
        Assert.Equal(0x363547cfdac2dbc9UL, Hash([.. NoiseSchedule.StableDiffusion.AlphaBars.Select(a => (float)a)]));
    }

    private static ulong Hash(float[] values)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte b in MemoryMarshal.AsBytes<float>(values))
            hash = (hash ^ b) * 0x100000001B3;
        return hash;
    }

    [Fact]
    public void At_BeforeTheFirstTimestep_IsThatOfTimestepZeroUnlessAskedForOne()
    {
        Assert.Equal(NoiseSchedule.StableDiffusion.At(0), NoiseSchedule.StableDiffusion.At(-19));
        NoiseSchedule one = NoiseSchedule.ScaledLinear(finalIsOne: true);
        Assert.Equal(1, one.At(-1).AlphaBar);
        Assert.Equal(NoiseSchedule.StableDiffusion.AlphaBars[0], one.At(0).AlphaBar);
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

    [Fact]
    public void CleanTimestep_EachMove_IsWhereTheNextBegins()
    {
        TimestepGrid grid = new(NoiseSchedule.StableDiffusion, 5);
        Assert.Equal([601, 401, 201, 1, 0], grid.Moves.Select(m => grid.CleanTimestep(m.Step)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    [InlineData(1000)]
    public void Grid_StepsThatDoNotFit_AreRefused(int steps) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TimestepGrid(NoiseSchedule.StableDiffusion, steps));
}
