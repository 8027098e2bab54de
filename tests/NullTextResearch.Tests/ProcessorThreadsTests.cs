using NullTextResearch.Loading;
using NullTextResearch.UNet;
using Xunit;

namespace NullTextResearch.Tests;

public sealed class ProcessorThreadsTests
{
    private static UNetConfig Mini => ModelSource.Find(StableDiffusion.MiniFolder()).UNet;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(64)]
    public void Worth_SmallModel_IsOneThreadOnAnyMachine(int processors) => Assert.Equal(1, ProcessorThreads.Worth(Mini, 16, 16, processors));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(16)]
    public void Worth_StableDiffusion_IsAllProcessors(int processors) =>
        Assert.Equal(processors, ProcessorThreads.Worth(UNetConfig.StableDiffusion1, 64, 64, processors));

    [Fact]
    public void Worth_LargerImages_IsNeverLess()
    {
        int[] threads = [.. ((int[])[8, 16, 32, 64, 128, 256]).Select(side => ProcessorThreads.Worth(Mini, side, side, 64))];
        Assert.Equal(threads.Order(), threads);
        Assert.True(threads[^1] > 1, string.Join(' ', threads));
    }
}
