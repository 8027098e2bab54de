using NullTextResearch.Attention;
using NullTextResearch.Editing;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using TorchSharp;
using Xunit;
using static NullTextResearch.Tests.Editing.EditingLab;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

[LeavesNoTensors]
public sealed class LocalBlendTests
{
    private static readonly Lazy<ClipTokenizer> Bytes = new(() =>
    {
        string folder = Directory.CreateTempSubdirectory("ntr-blend-").FullName;
        ClipVocabularyBuilder.Build(["cat"]).Save(folder);
        ClipTokenizer tokenizer = ClipTokenizer.Load(folder);
        Directory.Delete(folder, recursive: true);
        return tokenizer;
    });

    private static readonly LocalBlend CatToDog = new() { SourceWords = ["cat"], TargetWords = ["dog"] };

    [Fact]
    public void Mask_OneHotMaps_IsThePooledSpotOfBothPrompts()
    {
        using DisposeScope scope = NewDisposeScope();
        StoredMap map = Spots();
        using BlendMask mask = CatToDog.Mask([map], Prompt("a cat"), 0, Prompt("a dog"), 1, 4, 4);
        Assert.Null(mask.Subtract);
        // The source's spot is the corner (0, 0), the target's (3, 3); pooling makes them 2 x 2.
        Assert.Equal([true, true, false, false, true, true, false, false, false, false, false, false, false, false, false, false], Row(mask.Final, 0));
        Assert.Equal([true, true, false, false, true, true, false, false, false, false, true, true, false, false, true, true], Row(mask.Final, 1));
    }

    [Fact]
    public void Mask_AttentionAtTheThreshold_DoesNotBelongToIt()
    {
        using DisposeScope scope = NewDisposeScope();
        using BlendMask usual = CatToDog.Mask([Spots()], Prompt("a cat"), 0, Prompt("a dog"), 1, 4, 4);
        using BlendMask nothing = (CatToDog with { Threshold = 0 }).Mask([Spots()], Prompt("a cat"), 0, Prompt("a dog"), 1, 4, 4);
        using BlendMask all = (CatToDog with { Threshold = 1 }).Mask([Spots()], Prompt("a cat"), 0, Prompt("a dog"), 1, 4, 4);
        Assert.Equal(Row(usual.Final, 1), Row(nothing.Final, 1));
        Assert.DoesNotContain(true, Row(all.Final, 1));
    }

    [Fact]
    public void Around_ChangedWordInPromptsOfOneLength_BringsItsPartner()
    {
        LocalBlend blend = LocalBlend.Around(Prompt("a cat"), Prompt("a dog"), ["cat"]);
        Assert.Equal(["cat"], blend.SourceWords);
        Assert.Equal(["dog"], blend.TargetWords);
        LocalBlend other = LocalBlend.Around(Prompt("a cat"), Prompt("a dog"), ["dog", "cat"]);
        Assert.Equal(["cat"], other.SourceWords);
        Assert.Equal(["dog"], other.TargetWords);
    }

    [Fact]
    public void Around_WordOfNeitherPrompt_NamesTheWordsThereAre()
    {
        WordNotInPromptException error = Assert.Throws<WordNotInPromptException>(() => LocalBlend.Around(Prompt("a cat"), Prompt("a dog"), ["bird"]));
        Assert.Contains("a, cat, dog", error.Message);
        Assert.Throws<ArgumentException>(() => LocalBlend.Around(Prompt("a cat"), Prompt("a dog"), []));
    }

    [Fact]
    public void Around_WordBeforeAComma_IsFoundAndBringsItsPartner()
    {
        TokenizedPrompt source = AnyText("a cat, on a mat"),
            target = AnyText("a dog, on a mat");
        LocalBlend blend = LocalBlend.Around(source, target, ["cat"]);
        Assert.Equal(["cat,"], blend.SourceWords);
        Assert.Equal(["dog,"], blend.TargetWords);
        blend.Validate(source, target);
    }

    [Theory]
    [InlineData("cat,dog", new[] { "cat", "dog" })]
    [InlineData(" cat , dog,", new[] { "cat", "dog," })]
    [InlineData("cat,", new[] { "cat," })]
    [InlineData("red,green", new[] { "red,green" })]
    [InlineData("cat,red,green,bird", new[] { "cat", "red,green", "bird" })]
    [InlineData("", new string[0])]
    public void Words_List_KeepsWordsThatHoldCommas(string list, string[] words) =>
        Assert.Equal(words, LocalBlend.Words(AnyText("a cat, in red,green"), AnyText("a dog in red,green"), list));

    /// <summary>What the error of one prompt or the other lists can be blended around.</summary>
    [Theory]
    [InlineData("a house, in the snow", "a castle, in the snow!")]
    [InlineData("a (red) cat , on a mat", "two red,green cats")]
    [InlineData("\"a\" ... b", "- c -")]
    public void Around_EveryWordThatItsErrorLists_IsAccepted(string from, string to)
    {
        TokenizedPrompt source = AnyText(from),
            target = AnyText(to);
        WordNotInPromptException error = Assert.Throws<WordNotInPromptException>(() => LocalBlend.Around(source, target, ["zebra"]));
        Assert.NotEmpty(error.Words);
        foreach (string word in error.Words)
            LocalBlend.Around(source, target, LocalBlend.Words(source, target, word)).Validate(source, target);
    }

    [Fact]
    public void Mask_LargerLatents_IsEnlargedByNearestNeighbour()
    {
        using DisposeScope scope = NewDisposeScope();
        using BlendMask mask = CatToDog.Mask([Spots()], Prompt("a cat"), 0, Prompt("a dog"), 1, 8, 8);
        Assert.Equal(16, Row(mask.Final, 0).Count(m => m));
        Assert.True(mask.Final[0, 0, 3, 3].item<bool>());
        Assert.False(mask.Final[0, 0, 4, 3].item<bool>());
    }

    [Fact]
    public void Mask_SubtractedWord_IsCutOutUnpooled()
    {
        using DisposeScope scope = NewDisposeScope();
        LocalBlend blend = CatToDog with { SubtractTargetWords = ["a"] };
        StoredMap map = Spots();
        map.Sum[1, 0, 10, 1] = 1;
        using BlendMask mask = blend.Mask([map], Prompt("a cat"), 0, Prompt("a dog"), 1, 4, 4);
        Assert.Equal(1, Row(mask.Subtract!, 1).Count(m => m));
        Assert.False(Row(mask.Final, 1)[10]);
        Assert.True(Row(mask.Final, 1)[11]);
    }

    [Fact]
    public void Mask_HigherThreshold_IsSmaller()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(3);
        StoredMap map = new(Site(0), 8, 8, rand([2, 2, 64, Context], generator: generator), 1);
        int last = int.MaxValue;
        foreach (double threshold in new[] { 0.2, 0.6, 0.9, 0.99 })
        {
            using BlendMask mask = (CatToDog with { Threshold = threshold }).Mask([map], Prompt("a cat"), 0, Prompt("a dog"), 1, 8, 8);
            int count = Row(mask.Final, 1).Count(m => m);
            Assert.True(count <= last);
            last = count;
        }
        Assert.InRange(last, 1, 63);
    }

    [Theory]
    [InlineData(50, 0.2, 10)]
    [InlineData(10, 0.2, 2)]
    [InlineData(10, 0, 0)]
    public void FirstStep_Fraction_IsTruncated(int steps, double fraction, int first) =>
        Assert.Equal(first, (CatToDog with { StartFraction = fraction }).FirstStep(steps));

    [Fact]
    public void Mask_UnknownWord_IsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.Throws<WordNotInPromptException>(() =>
            (CatToDog with { TargetWords = ["horse"] }).Mask([Spots()], Prompt("a cat"), 0, Prompt("a dog"), 1, 4, 4)
        );
    }

    internal static AttentionSite Site(int order, UNetStage stage = UNetStage.Up, AttentionKind kind = AttentionKind.Cross) =>
        new($"site{order}", stage, 0, 0, kind, order, 2);

    private static StoredMap Spots()
    {
        Tensor sum = zeros([2, 1, 16, Context]);
        sum[0, 0, 0, 2] = 1;
        sum[1, 0, 15, 2] = 1;
        return new StoredMap(Site(0), 4, 4, sum, 1);
    }

    private static bool[] Row(Tensor mask, int row) => mask[row].flatten().data<bool>().ToArray();

    // The lab's tokenizer has a table of words; this one takes punctuation too.
    private static TokenizedPrompt AnyText(string text) => Bytes.Value.Tokenize(text);
}
