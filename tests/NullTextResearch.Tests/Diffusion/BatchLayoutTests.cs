using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Diffusion;

[LeavesNoTensors]
public class BatchLayoutTests
{
    [Fact]
    public void Branches_OfTwoImages_AreSourceThenTargets_AndGuidedDoublesThem()
    {
        BatchLayout rows = BatchLayout.Branches([2, 1]);
        Assert.Equal("0.0 0.1 0.2 1.0 1.1", rows.ToString());
        Assert.Equal([true, false, false, true, false], rows.Rows.Select(r => r.IsSource));
        BatchLayout guided = rows.Guided();
        Assert.Equal("-0.0 -0.1 -0.2 -1.0 -1.1 0.0 0.1 0.2 1.0 1.1", guided.ToString());
        Assert.Equal(5, guided.FirstConditional);
        Assert.Equal(5, guided.Conditional);
        Assert.True(guided.IsHalved);
        Assert.Equal(9, guided.IndexOf(new BatchRow(1, 1)));
        Assert.Equal("0.0 1.0", guided.Select([5, 8]).ToString());
        Assert.Equal("-1.1 0.0", guided.Narrow(4, 2).ToString());
    }

    [Fact]
    public void IsHalved_UnconditionalAfterConditional_IsFalse()
    {
        Assert.False(new BatchLayout([new BatchRow(0, 0), new BatchRow(0, 0, IsConditional: false)]).IsHalved);
        BatchLayout none = new([new BatchRow(0, 0, IsConditional: false)]);
        Assert.True(none.IsHalved);
        Assert.Equal(-1, none.FirstConditional);
    }

    [Fact]
    public void IndexOf_RowThatIsNotThere_SaysWhichAreThere()
    {
        string message = Assert.Throws<InvalidOperationException>(() => BatchLayout.Sources(2).IndexOf(new BatchRow(2, 0))).Message;
        Assert.Contains("image 2", message, StringComparison.Ordinal);
        Assert.Contains("0.0 1.0", message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new BatchLayout([]));
    }

    [Fact]
    public void Conditioning_Guided_PutsUnconditionalRowsFirst_OneForAllOrOneEach()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor prompts = ScalarArithmetic.Range(12, ScalarType.Float32).view(3, 2, 2),
            empty = Constants.Full([1, 2, 2], -1f);
        Conditioning guided = new Conditioning(prompts) { Rows = BatchLayout.Branches([2]) }.Guided(empty);
        Assert.Equal("-0.0 -0.1 -0.2 0.0 0.1 0.2", guided.Layout().ToString());
        Assert.Equal(-4, guided.Tokens.select(0, 1).sum().item<float>(), 6);
        Assert.True(guided.Narrow(3, 3).Tokens.allclose(prompts, 0, 0));
        Assert.Equal("0.1", guided.Narrow(4, 1).Rows!.ToString());
        Assert.True(((Conditioning)prompts).Guided(prompts).Narrow(0, 3).Tokens.allclose(prompts, 0, 0));
    }

    [Fact]
    public void Conditioning_LayoutOfAnotherBatch_IsRefused()
    {
        using Tensor prompts = zeros(3, 2, 2);
        Assert.Equal("0.0 1.0 2.0", ((Conditioning)prompts).Layout().ToString());
        ArgumentException error = Assert.Throws<ArgumentException>(() => (new Conditioning(prompts) { Rows = BatchLayout.Sources(2) }).Layout());
        Assert.Contains("2 rows", error.Message, StringComparison.Ordinal);
    }
}
