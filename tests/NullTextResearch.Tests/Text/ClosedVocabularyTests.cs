using NullTextResearch.Scenes;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

/// <summary>A model that was trained on a list of words says which words of a prompt are not on it; one of an open vocabulary says nothing.</summary>
public sealed class ClosedVocabularyTests : IDisposable
{
    private const string Mini = "sd-mini";
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-closed-").FullName;
    private readonly ClipTokenizer _tokenizer;

    public ClosedVocabularyTests()
    {
        // As training makes it for sd-mini.
        ClipVocabularyBuilder.Build(CaptionGrammar.Words).Save(_folder);
        _tokenizer = ClipTokenizer.Load(_folder);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Of_VocabularyOfAWordList_HasItsWords()
    {
        ClosedVocabulary? vocabulary = ClosedVocabulary.Of(_tokenizer);
        Assert.NotNull(vocabulary);
        Assert.Equal(CaptionGrammar.Words.Where(w => w.Length > 1), vocabulary.Words);
        Assert.All(CaptionGrammar.Words, w => Assert.True(vocabulary.Knows(w), w));
        Assert.All((string[])["elephant", "hous", "cats", "ca", "castle", "猫"], w => Assert.False(vocabulary.Knows(w), w));
    }

    [Fact]
    public void Of_SdMinisOwnFiles_AreTheWordsOfItsDomain()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "models", Mini, "tokenizer");
        Assert.SkipUnless(Directory.Exists(folder), "the embedded model sd-mini is not beside the tests");
        Assert.Equal(SceneDomain.Second.Words.Where(w => w.Length > 1), ClosedVocabulary.Of(ClipTokenizer.Load(folder))!.Words);
    }

    /// <summary>The first 64 merges of CLIP's vocabulary, in its own order: pieces from anywhere in a word.</summary>
    [Fact]
    public void Of_BytePairsLearnedFromText_IsOpenAndNeverWarns()
    {
        string[] merges = (
            "i n|t h|a n|r e|a r|e r|th e</w>|in g</w>|o u|o n|s t|o r|e n|o n</w>|a l|a t|e r</w>|i t|i n</w>|t o</w>|r o|i s</w>|l e|i c|a t</w>|an "
            + "d</w>|e d</w>|o f</w>|c h|o r</w>|e s</w>|i l|e l|"
            + "s t</w>|a c|o m|a m|l o|a n</w>|a y</w>|s h|r i|l i|t i|f or</w>|n e|ð Ł|r a|h a|d e|o l|v e</w>|s i|u r|a l</w>|s e|' s</w>|u n|d i|b e|l "
            + "a|w h|o o|d ay</w>"
        ).Split('|');
        WriteBytePairs(merges);
        ClipTokenizer open = ClipTokenizer.Load(_folder);
        Assert.Null(ClosedVocabulary.Of(open));
        Assert.Empty(ClosedVocabulary.Check("any", open, "an elephant on a bicycle", "a spaceship made of cheese", "zzz"));
    }

    [Fact]
    public void Check_KnownWords_SaysNothing() =>
        Assert.Empty(ClosedVocabulary.Check(Mini, _tokenizer, "", "a big red car, in the snow!", "A Photo of a CAT next to a dog at night", "the"));

    [Fact]
    public void Check_SomeUnknownWords_NamesThemAndTheNearest()
    {
        string note = Assert.Single(ClosedVocabulary.Check(Mini, _tokenizer, "a hosue with an elephant in the desert", "a cat in the snow"));
        Assert.StartsWith("sd-mini does not know 'hosue' (near: house), 'with', 'an', 'elephant' in", note);
        Assert.Contains("its words are: animal, at, balloon", note);
    }

    [Theory]
    [InlineData("an elephant on a bicycle", new[] { "an", "elephant", "bicycle" })]
    [InlineData("a spaceship made of cheese", new[] { "spaceship", "made", "cheese" })]
    [InlineData("a photo of galaxies", new[] { "galaxies" })]
    [InlineData("Éléphant", new[] { "éléphant" })]
    [InlineData("日本 🐱", new[] { "日本", "🐱" })]
    public void Check_NothingButUnknownWords_IsRefused(string prompt, string[] unknown)
    {
        UnknownWordsException error = Assert.Throws<UnknownWordsException>(() => ClosedVocabulary.Check(Mini, _tokenizer, "a cat", prompt));
        Assert.Equal(unknown, error.Words);
        Assert.Contains($"\"{prompt}\" means nothing to sd-mini", error.Message);
        Assert.Contains("mushroom", error.Message);
    }

    [Fact]
    public void Of_TokenizerOfAnotherKind_IsNotJudged() => Assert.Null(ClosedVocabulary.Of(Editing.EditingLab.Tokenizer));

    private void WriteBytePairs(string[] merges)
    {
        File.WriteAllText(Path.Combine(_folder, "merges.txt"), "#version: 0.2\n" + string.Join('\n', merges) + "\n");
        string[] bytes = [.. ByteAlphabet.VocabularyOrder.Select(c => c.ToString())];
        IEnumerable<string> pieces = bytes
            .Concat(bytes.Select(b => b + ByteAlphabet.EndOfWord))
            .Concat(merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)))
            .Distinct()
            .Concat(["<|startoftext|>", "<|endoftext|>"]);
        File.WriteAllText(
            Path.Combine(_folder, "vocab.json"),
            System.Text.Json.JsonSerializer.Serialize(pieces.Select((p, i) => (p, i)).ToDictionary(p => p.p, p => p.i))
        );
    }
}
