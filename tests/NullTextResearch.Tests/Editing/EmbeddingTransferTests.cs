using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

[LeavesNoTensors]
public sealed class EmbeddingTransferTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Transfer_SwappedWord_TakesItsRowFromTheTargetAndOthersFromTheSource(bool perStep)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor own = zeros([1, Context, 4]),
            learned = ones(perStep ? [3, 1, Context, 4] : [1, Context, 4]);
        using StepEmbeddings optimised = perStep ? StepEmbeddings.PerStep(learned) : StepEmbeddings.Constant(learned);
        using StepEmbeddings moved = EmbeddingTransfer.Transfer(optimised, Prompt("a cat on a mat"), Prompt("a squirrel on a mat"), own);
        Assert.Equal(learned.shape, moved.Values.shape);
        float[] firstOfEach = moved.At(0).Tokens[0].select(-1, 0).data<float>().ToArray();
        Assert.Equal([1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], firstOfEach);
    }

    [Fact]
    public void Transfer_AddedWord_MovesWhatFollowsIt()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor learned = ScalarArithmetic.Range(Context, ScalarType.Float32).view(1, Context, 1),
            own = Constants.Full([1, Context, 1], -1f);
        using StepEmbeddings optimised = StepEmbeddings.Constant(learned);
        using StepEmbeddings moved = EmbeddingTransfer.Transfer(optimised, Prompt("a cat on a mat"), Prompt("a red cat on a mat"), own);
        // Start, "a", the new word, then the source's cat, on, a, mat and end; padding keeps its place.
        Assert.Equal([0, 1, -1, 2, 3, 4, 5, 6, 8, 9, 10, 11], moved.Values.flatten().data<float>().ToArray());
    }

    [Fact]
    public void Transfer_WrongWidth_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        using StepEmbeddings optimised = StepEmbeddings.Constant(ones([1, Context, 4]));
        Assert.Throws<ShapeMismatchException>(() => EmbeddingTransfer.Transfer(optimised, Prompt("a cat"), Prompt("a dog"), zeros([1, Context, 5])));
    }
}
