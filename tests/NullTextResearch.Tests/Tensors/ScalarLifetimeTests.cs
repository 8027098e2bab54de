using NullTextResearch.Tensors;
using NullTextResearch.Tests.SelfTest;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Tensors;

/// <summary>
/// Numbers stay right while another thread collects garbage. With TorchSharp's own <c>add</c> and <c>mul</c> in the place of ours this fails in two
/// runs of three within twenty thousand rounds, which NULLTEXT_SOAK=all runs; a few hundred are a sample (20 ms each, and every collection stops all
/// other threads, so that it runs alone). That no such call is made is proved from the call graph, by ScalarCallsTests.
/// </summary>
[Collection(nameof(ThreadsOfTheProcess))]
public sealed class ScalarLifetimeTests
{
    [Fact]
    public void Arithmetic_WhileAnotherThreadCollects_IsRight()
    {
        using CancellationTokenSource done = new();
        Thread collector = new(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect();
                // Without a pause the collections may keep the other thread from ever running.
                Thread.Sleep(1);
            }
        });
        collector.Start();
        try
        {
            using Tensor x = ones(4, ScalarType.Float64);
            // Beside what other tests left on the heap a collection may take a second: a sample ends then.
            bool isSoak = Environment.GetEnvironmentVariable("NULLTEXT_SOAK") == "all";
            long started = System.Diagnostics.Stopwatch.GetTimestamp();
            for (int round = 0; isSoak ? round < 20_000 : round < 500 && System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds < 30; round++)
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
