using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
public sealed class StepEmbeddingsTests
{
    [Fact]
    public void PerStep_TwoImages_AreFoundByStepAndByImage()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = ScalarArithmetic.Range(3 * 2 * 5 * 4, ScalarType.Float64).reshape(3, 2, 5, 4);
        using StepEmbeddings all = StepEmbeddings.PerStep(values);
        Assert.Equal(2, all.Images);
        for (int step = 0; step < 3; step++)
            TensorAssert.Close(values[step], all.At(step).Tokens, 0);
        using StepEmbeddings second = all.Image(1);
        Assert.True(second.IsPerStep);
        Assert.Equal(1, second.Images);
        TensorAssert.Close(values.narrow(1, 1, 1), second.Values, 0);
    }

    [Fact]
    public void Constant_TwoImages_AreFoundByImageAtEveryStep()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor values = ScalarArithmetic.Range(2 * 5 * 4, ScalarType.Float64).reshape(2, 5, 4);
        using StepEmbeddings all = StepEmbeddings.Constant(values);
        Assert.Equal(2, all.Images);
        TensorAssert.Close(values, all.At(7).Tokens, 0);
        using StepEmbeddings second = all.Image(1);
        Assert.False(second.IsPerStep);
        TensorAssert.Close(values.narrow(0, 1, 1), second.Values, 0);
    }
}
