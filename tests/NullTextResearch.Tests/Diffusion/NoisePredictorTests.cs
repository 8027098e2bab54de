using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
public sealed class NoisePredictorTests
{
    [Fact]
    public void Differentiate_OfABatch_EqualsEachImageAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor toy = new();
        PredictionGradient Of(InversionProblem problem) =>
            ((INoisePredictor)toy).Differentiate(problem.Latents, problem.Grid.Moves[3], problem.Conditional, noise => noise.Squared().flatten(1).mean([1]));
        PredictionGradient batch = Of(toy.Problem(images: 2));
        for (int i = 0; i < 2; i++)
        {
            PredictionGradient alone = Of(toy.Problem(first: i));
            Assert.True(alone.Tokens!.norm().item<double>() > 1e-3);
            TensorAssert.Close(alone.Tokens!, batch.Tokens!.narrow(0, i, 1), 1e-15);
            TensorAssert.Close(alone.Losses, batch.Losses.narrow(0, i, 1), 1e-15);
            TensorAssert.Close(alone.Prediction, batch.Prediction.narrow(0, i, 1), 1e-15);
        }
    }

    [Fact]
    public void CountingPredictor_WithAndWithoutGradient_CountsRows()
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor toy = new();
        InversionProblem problem = toy.Problem(images: 3);
        CountingPredictor counting = new(toy);
        counting.Predict(problem.Latents, problem.Grid.Moves[0], problem.Conditional);
        Assert.Equal((3, 0), (counting.Evaluations, counting.Backwards));
        counting.Differentiate(problem.Latents, problem.Grid.Moves[0], problem.Conditional, noise => noise.Squared().flatten(1).mean([1]));
        Assert.Equal((6, 3), (counting.Evaluations, counting.Backwards));
        // Recorded from outside, as an editor does that differentiates by its attention maps.
        counting.Predict(problem.Latents.detach().requires_grad_(true), problem.Grid.Moves[0], problem.Conditional);
        Assert.Equal((9, 6), (counting.Evaluations, counting.Backwards));
        Assert.Equal(toy.Calls.Sum(), counting.Evaluations);
    }
}
