using NullTextResearch.Experiments;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Experiments;

public sealed class MemoryPlanTests
{
    // Numbers in the networks of Stable Diffusion 1.x.
    private const long Weights = 859_520_964 + 83_653_863 + 123_060_480;

    private static MemoryPlan Plan(
        int size = 512,
        int rows = 2,
        int gradientRows = 1,
        int images = 1,
        ScalarType precision = ScalarType.Float32,
        MemoryOptions? memory = null
    ) =>
        MemoryPlan.For(
            UNetConfig.StableDiffusion1,
            VaeConfig.StableDiffusion1,
            ClipTextConfig.StableDiffusion1,
            new MemoryDemand
            {
                ImageSize = size,
                Rows = rows,
                GradientRows = gradientRows,
                Images = images,
                Precision = precision,
                Memory = memory,
            }
        );

    private static MemoryStage Stage(MemoryPlan plan, string name) => plan.Stages.Single(s => s.Name == name);

    [Fact]
    public void For_StableDiffusionAt512_IsAFewTimesItsWeights()
    {
        MemoryPlan plan = Plan();
        Assert.All(plan.Stages, stage => Assert.Equal(4 * Weights, stage.WeightBytes));
        Assert.InRange(plan.TotalBytes, (4 * Weights) + (1L << 30), 10L << 30);
    }

    [Fact]
    public void For_AShorterContext_NeedsLessForMaps()
    {
        MemoryPlan Maps(int context) =>
            MemoryPlan.For(
                UNetConfig.StableDiffusion1,
                VaeConfig.StableDiffusion1,
                ClipTextConfig.StableDiffusion1 with
                {
                    ContextLength = context,
                },
                new MemoryDemand
                {
                    ImageSize = 512,
                    Rows = 2,
                    ExplicitAttention = true,
                    GradientRows = 1,
                }
            );
        Assert.True(Stage(Maps(29), "U-Net with gradients").WorkingBytes < Stage(Maps(77), "U-Net with gradients").WorkingBytes);
    }

    [Fact]
    public void For_MoreOfAnything_NeedsMore()
    {
        long one = Plan().TotalBytes;
        Assert.True(Plan(size: 768).TotalBytes > one);
        Assert.True(Plan(rows: 8, gradientRows: 4).TotalBytes > one);
        Assert.True(Plan(precision: ScalarType.Float64).TotalBytes > one);
        Assert.DoesNotContain(Plan(gradientRows: 0).Stages, stage => stage.Name == "U-Net with gradients");
        Assert.True(Stage(Plan(images: 8), "autoencoder, to pixels").WorkingBytes > Stage(Plan(), "autoencoder, to pixels").WorkingBytes);
    }

    [Fact]
    public void For_EachSettingThatSavesMemory_SavesWhereItSays()
    {
        // With offload each stage begins with an empty heap, so stages can be compared.
        MemoryPlan plain = Plan(rows: 4, gradientRows: 2, memory: new MemoryOptions { Offload = true });
        MemoryPlan checkpointed = Plan(rows: 4, gradientRows: 2, memory: new MemoryOptions { Offload = true, Checkpointing = true });
        Assert.True(Stage(checkpointed, "U-Net with gradients").WorkingBytes < 0.5 * Stage(plain, "U-Net with gradients").WorkingBytes);
        MemoryPlan sequential = Plan(rows: 4, gradientRows: 2, memory: new MemoryOptions { Offload = true, Sequential = true });
        Assert.True(Stage(sequential, "U-Net").WorkingBytes < 0.6 * Stage(plain, "U-Net").WorkingBytes);
        MemoryPlan tiled = Plan(rows: 4, gradientRows: 2, memory: new MemoryOptions { Offload = true, VaeTile = 32 });
        Assert.True(Stage(tiled, "autoencoder, to pixels").WorkingBytes < 0.5 * Stage(plain, "autoencoder, to pixels").WorkingBytes);
        Assert.Equal(4L * 859_520_964, Stage(plain, "U-Net").WeightBytes);
        Assert.Equal(4L * (859_520_964 + 83_653_863), Stage(plain, "autoencoder, to pixels").WeightBytes);
    }

    [Fact]
    public void For_StableDiffusionAt512_MeetsItsTargets()
    {
        Assert.True(Plan(precision: ScalarType.BFloat16).TotalBytes < 8_000_000_000);
        Assert.True(Plan().TotalBytes < 12_000_000_000);
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
