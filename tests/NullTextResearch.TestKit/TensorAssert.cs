using NullTextResearch.Tensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.TestKit;

/// <summary>Assertions and measures on tensors.</summary>
public static class TensorAssert
{
    /// <summary>Largest absolute difference.</summary>
    public static double MaxDifference(Tensor a, Tensor b)
    {
        using DisposeScope scope = NewDisposeScope();
        return a.to(ScalarType.Float64).sub(b.to(ScalarType.Float64)).abs().max().item<double>();
    }

    /// <summary>Mean squared difference.</summary>
    public static double MeanSquare(Tensor a, Tensor b)
    {
        using DisposeScope scope = NewDisposeScope();
        return a.to(ScalarType.Float64).sub(b.to(ScalarType.Float64)).Squared().mean().item<double>();
    }

    /// <summary>Fails if shapes differ or any element differs by more than the limit.</summary>
    public static void Close(Tensor expected, Tensor actual, double limit)
    {
        Assert.Equal(expected.shape, actual.shape);
        double difference = MaxDifference(expected, actual);
        Assert.True(difference <= limit, $"Largest difference {difference:e3}, limit {limit:e1}.");
    }

    /// <summary>Tensors alive on this thread.</summary>
    public static long Live => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
}
