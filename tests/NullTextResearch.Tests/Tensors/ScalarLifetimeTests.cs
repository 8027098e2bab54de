using NullTextResearch.Tensors;
using NullTextResearch.Tests.SelfTest;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Tensors;

/// <summary>
/// Numbers stay right while another thread collects garbage. That no call is made whose number nothing keeps alive is proved from the call graph, by
/// ScalarCallsTests; here libtorch runs. The methods are compiled fully first, because unoptimised code keeps temporaries alive to the end of a method.
/// </summary>
[Collection(nameof(ThreadsOfTheProcess))]
public sealed class ScalarLifetimeTests
{
    /// <summary>
    /// A sum of two dtypes converts one tensor between receiving the factor of the second and reading it. With TorchSharp's own <c>add</c> in the place of ours
    /// 38 of 100 such rounds failed on two processors (AMD EPYC, Zen 1), so that thirty rounds find it practically always.
    /// </summary>
    [Fact]
    public void Sum_OfTwoDtypesWhileAnotherThreadCollects_IsRight()
    {
        using Tensor small = ones(4, ScalarType.Int32),
            smallOther = ones(4, ScalarType.Float64),
            large = ones(1 << 21, ScalarType.Int32),
            largeOther = ones(1 << 21, ScalarType.Float64);
        BesideCollections(300, () => Assert.Equal(4, small.Plus(smallOther).PlusInPlace(small).Plus(1).max().item<double>()));
        Thread.Sleep(500);
        BesideCollections(30, () => Assert.Equal(2, large.Plus(largeOther).max().item<double>()));
        BesideCollections(30, () => Assert.Equal(2, largeOther.clone().PlusInPlace(large).max().item<double>()));
    }

    /// <summary>
    /// Most operations read their number within a microsecond. With TorchSharp's own ones in the place of ours about one round of ten thousand fails in a small
    /// process. NULLTEXT_SOAK=all runs ten times as many.
    /// </summary>
    [Fact]
    public void Arithmetic_WhileAnotherThreadCollects_IsRight()
    {
        using Tensor x = ones(4, ScalarType.Float64);
        BesideCollections(
            Environment.GetEnvironmentVariable("NULLTEXT_SOAK") == "all" ? 200_000 : 20_000,
            () =>
            {
                Tensor y = x.Times(3).Plus(x).Over(2).Plus(1).Clamped(0, 2.5).PlusInPlace(x).TimesInPlace(2).Squared();
                Assert.All(y.data<double>().ToArray(), v => Assert.Equal(49, v));
            }
        );
    }

    private static void BesideCollections(int rounds, Action round)
    {
        using CancellationTokenSource done = new();
        Thread collector = new(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                // A collection stops all other threads: without a pause they may never run.
                Thread.Sleep(1);
            }
        });
        collector.Start();
        try
        {
            for (int i = 0; i < rounds; i++)
            {
                using DisposeScope scope = NewDisposeScope();
                round();
            }
        }
        finally
        {
            done.Cancel();
            collector.Join();
        }
    }
}
