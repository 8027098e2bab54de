using System.Text;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

/// <summary>Form C against an independent implementation (Python's unicodedata), and by its laws.</summary>
public sealed class CanonicalFormTests
{
    [Theory]
    [InlineData("plain ASCII, naïve café", "plain ASCII, naïve café")]
    [InlineData("cafe\u0301", "caf\u00e9")]
    [InlineData("a\u0302\u0323", "\u1ead")]
    [InlineData("a\u0323\u0302", "\u1ead")]
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]
    [InlineData("\u212b \u2126 \u2000x", "\u00c5 \u03a9 \u2002x")]
    [InlineData("\u0915\u093c", "\u0915\u093c")]
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\ufb1d", "\u05d9\u05b4")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\U0001d15e", "\U0001d157\U0001d165")]
    [InlineData("\u0301e", "\u0301e")]
    [InlineData("🐱\ufe0f👩\u200d🚀", "🐱\ufe0f👩\u200d🚀")]
    public void Compose_KnownTexts(string text, string expected) => Assert.Equal(expected, CanonicalForm.Compose(text));

    [Fact]
    public void Compose_ThirteenThousandCharactersInFourPlaces_AsPythonDoes()
    {
        ulong hash = 0xCBF29CE484222325;
        int texts = 0;
        foreach ((int from, int to) in ((int, int)[])[(0xA0, 0x3200), (0xAC00, 0xAC80), (0xF900, 0xFB50), (0x1D150, 0x1D1C0)])
        {
            for (int code = from; code < to; code++)
            {
                string one = new Rune(code).ToString(),
                    apart = CanonicalForm.Decompose(one);
                foreach (string text in (string[])[one, apart, apart + "\u0323\u0301", "e\u0301" + one + "\u0328a"])
                {
                    string composed = CanonicalForm.Compose(text);
                    Assert.Equal(composed, CanonicalForm.Compose(composed));
                    foreach (byte b in Encoding.UTF8.GetBytes(composed))
                        hash = (hash ^ b) * 0x100000001B3;
                    texts++;
                }
            }
        }
        Assert.Equal((53888, 0x40e503a616294b55UL), (texts, hash));
    }

    [Theory]
    [InlineData("cafe\u0301 a\u0308rger", "caf\u00e9 \u00e4rger")]
    [InlineData("\u1112\u1161\u11ab\u1100\u116e\u11a8", "\ud55c\uad6d")]
    public void Tokenize_TwoSpellingsOfOneText_AreOneText(string apart, string together)
    {
        string folder = Directory.CreateTempSubdirectory("ntr-nfc-").FullName;
        try
        {
            ClipVocabularyBuilder.Build(["caf\u00e9"]).Save(folder);
            ClipTokenizer tokenizer = ClipTokenizer.Load(folder);
            TokenizedPrompt one = tokenizer.Tokenize(apart),
                other = tokenizer.Tokenize(together);
            Assert.Equal(other.Ids, one.Ids);
            Assert.Equal(other.PositionsOf(together.Split(' ')[0]), one.PositionsOf(apart.Split(' ')[0]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
