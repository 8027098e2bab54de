using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Scenes;
using NullTextResearch.Training;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Training;

public class GroundingAttentionTests
{
    private static readonly AttentionCall Cross = new(new AttentionSite("a", UNetStage.Down, 0, 0, AttentionKind.Cross, 0, 1), 0, 2, 2, BatchLayout.Sources(1));

    [Fact]
    public void Loss_AttentionInsideItsThing_IsZero_OutsideOne()
    {
        using DisposeScope scope = NewDisposeScope();
        // One image whose object is the upper half; token 1 is its noun, token 2 the place.
        Tensor masks = tensor(new float[] { 1, 1, 0, 0, 0, 0, 0, 0 }, [1, 2, 2, 2]);
        Assert.Equal(0, LossOf(masks, upper: 1, lower: 2), 3);
        Assert.Equal(1, LossOf(masks, upper: 2, lower: 1), 3);
    }

    [Fact]
    public void Loss_EvenAttention_IsTheShareOutside_AndAttendsAsWithout()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor query = zeros(1, 1, 4, 3),
            key = rand(1, 1, 5, 3),
            value = rand(1, 1, 5, 3);
        using GroundingAttention grounding = new(
            [
                [new NamedThing(3, 0)],
            ],
            tensor(new float[] { 1, 0, 0, 0, 0, 0, 0, 0 }, [1, 2, 2, 2]),
            [1]
        );
        Tensor result = grounding.Attend(Cross, query, key, value);
        Assert.True(result.allclose(ExplicitAttention.Instance.Attend(Cross, query, key, value)));
        Assert.Equal(0.75 * 0.75, grounding.Loss!.item<float>(), 4);
        // Self-attention is none of its business.
        using GroundingAttention other = new(
            [
                [new NamedThing(3, 0)],
            ],
            zeros(1, 2, 2, 2),
            [1]
        );
        other.Attend(Cross with { Site = Cross.Site with { Kind = AttentionKind.Self } }, query, key, value);
        Assert.Null(other.Loss);
    }

    /// <summary>Loss where the upper pixels look at one token and the lower ones at another.</summary>
    private static double LossOf(Tensor masks, int upper, int lower)
    {
        float[] query = new float[4 * 3];
        for (int p = 0; p < 4; p++)
            query[p * 3 + (p < 2 ? upper : lower)] = 50;
        using GroundingAttention grounding = new(
            [
                [new NamedThing(1, 0), new NamedThing(2, null)],
            ],
            masks,
            [1]
        );
        grounding.Attend(Cross, tensor(query, [1, 1, 4, 3]), eye(3).view(1, 1, 3, 3), eye(3).view(1, 1, 3, 3));
        return grounding.Loss!.item<float>();
    }
}
