using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
public class DdimTests
{
    [Fact]
    public void Move_ThereAndBackWithTheSameNoise_IsIdentity()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor latents = ScalarArithmetic.Range(32, ScalarType.Float64).sin().reshape(2, 4, 2, 2);
        Tensor noise = ScalarArithmetic.Range(32, ScalarType.Float64).Times(1.3).cos().reshape(2, 4, 2, 2);
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
        Tensor image = ScalarArithmetic.Range(16, ScalarType.Float64).sin().reshape(1, 4, 2, 2);
        Tensor noise = ScalarArithmetic.Range(16, ScalarType.Float64).Times(1.3).cos().reshape(1, 4, 2, 2);
        NoiseLevel from = NoiseLevel.VariancePreserving(0.1),
            to = NoiseLevel.VariancePreserving(0.7);
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
        ShapeMismatchException error = Assert.Throws<ShapeMismatchException>(() =>
            Ddim.Move(zeros(1, 4, 2, 2), zeros(1, 4, 2, 3), NoiseLevel.VariancePreserving(0.5), NoiseLevel.VariancePreserving(0.6))
        );
        Assert.Contains("noisePrediction", error.Message);
    }
}
