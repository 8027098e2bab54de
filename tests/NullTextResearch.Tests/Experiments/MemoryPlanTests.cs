using NullTextResearch.Experiments;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using Xunit;

namespace NullTextResearch.Tests.Experiments;

public sealed class MemoryPlanTests
{
    // Numbers in the networks of Stable Diffusion 1.x.
    private const long Weights = 859_520_964 + 83_653_863 + 123_060_480;

    private static MemoryPlan Plan(int size = 512, int rows = 2, int gradientRows = 1, int images = 1, int bytes = 4) => MemoryPlan.For(
        UNetConfig.StableDiffusion1, VaeConfig.StableDiffusion1, Weights,
        new MemoryDemand { ImageSize = size, Rows = rows, GradientRows = gradientRows, Images = images, BytesPerNumber = bytes });

    [Fact]
    public void For_StableDiffusionAt512_IsAFewTimesItsWeights()
    {
        MemoryPlan plan = Plan();
        Assert.Equal(4 * Weights, plan.WeightBytes);
        Assert.InRange(plan.TotalBytes, plan.WeightBytes + (1L << 30), 16L << 30);
    }

    [Fact]
    public void For_MoreOfAnything_NeedsMore()
    {
        long one = Plan().TotalBytes;
        Assert.True(Plan(size: 768).TotalBytes > one);
        Assert.True(Plan(rows: 8, gradientRows: 4).TotalBytes > one);
        Assert.True(Plan(bytes: 8).TotalBytes > one);
        Assert.True(Plan(gradientRows: 0).NetworkBytes < Plan().NetworkBytes);
        Assert.True(Plan(images: 8).AutoencoderBytes > Plan().AutoencoderBytes);
    }

    [Fact]
    public void For_AbsurdSize_SaturatesInsteadOfOverflowing() => Assert.True(Plan(size: int.MaxValue / 2).TotalBytes > 1L << 60);

    [Fact]
    public void RequireFits_LessThanNeeded_SaysHowMuchAndWhatToLower()
    {
        MemoryPlan plan = Plan(size: 1024);
        plan.RequireFits(plan.TotalBytes);
        MemoryPlanException e = Assert.Throws<MemoryPlanException>(() => plan.RequireFits(plan.TotalBytes - 1));
        Assert.Equal(plan.TotalBytes - 1, e.Available);
        Assert.Contains("nothing was started", e.Message, StringComparison.Ordinal);
        Assert.Contains("image size", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Available_Here_IsPlausible() => Assert.InRange(MemoryPlan.Available(), 1L << 20, 1L << 50);
}
