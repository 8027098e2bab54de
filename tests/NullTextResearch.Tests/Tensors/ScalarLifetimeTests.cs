using NullTextResearch.Tensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Tensors;

/// <summary>
/// Numbers stay right while another thread collects garbage. With TorchSharp's own <c>add</c> and <c>mul</c> in the place of ours this fails in two
/// runs of three within
/// twenty thousand rounds.
/// </summary>
public sealed class ScalarLifetimeTests
{
    [Fact]
    public void Arithmetic_WhileAnotherThreadCollects_IsRight()
    {
        using CancellationTokenSource done = new();
        Thread collector = new(() =>
        {
            while (!done.IsCancellationRequested)
                GC.Collect();
        });
        collector.Start();
        try
        {
            using Tensor x = ones(4, ScalarType.Float64);
            for (int round = 0; round < 6_000; round++)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor y = x.Times(3).Plus(x).Over(2).Plus(1).Clamped(0, 2.5).PlusInPlace(x).TimesInPlace(2).Squared();
                double[] values = y.data<double>().ToArray();
                Assert.All(values, v => Assert.Equal(49, v));
            }
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }
}
