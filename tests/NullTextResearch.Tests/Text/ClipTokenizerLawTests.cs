using System.Text;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

/// <summary>Laws that hold for any text, on a thousand texts drawn from all of Unicode.</summary>
public sealed class ClipTokenizerLawTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-laws-").FullName;
    private readonly ClipTokenizer _tokenizer;

    public ClipTokenizerLawTests()
    {
        ClipVocabularyBuilder
            .Build(["a", "cat", "red", "car", "on", "the", "tiger", "cartoon", "é", "猫", "🐱"], new Dictionary<string, string> { ["snowy"] = "snow" })
            .Save(_folder);
        _tokenizer = ClipTokenizer.Load(_folder);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Tokenize_AnyText_RowIsFramedPaddedAndOfOneLength() =>
        ForTexts(text =>
        {
            TokenizedPrompt prompt = _tokenizer.Tokenize(text);
            Assert.Equal(77, prompt.Ids.Count);
            Assert.Equal(_tokenizer.StartToken, prompt.Ids[0]);
            Assert.InRange(prompt.TokenCount, 0, 75);
            Assert.All(prompt.Ids.Skip(prompt.TokenCount + 1), id => Assert.Equal(_tokenizer.EndToken, id));
            Assert.All(prompt.Ids, id => Assert.InRange(id, 0, _tokenizer.VocabularySize - 1));
            Assert.Equal(prompt.RequiredTokenCount > 75, prompt.IsTruncated);
        });

    [Fact]
    public void Tokenize_AnyText_EveryTokenBelongsToOneWord() =>
        ForTexts(text =>
        {
            TokenizedPrompt prompt = _tokenizer.Tokenize(text);
            Assert.Equal(Enumerable.Range(1, prompt.TokenCount), Enumerable.Range(0, prompt.Words.Count).SelectMany(prompt.PositionsOfWordAt));
        });

    [Fact]
    public void Tokenize_AnyText_ThePiecesSpellTheText() =>
        ForTexts(text =>
        {
            TokenizedPrompt prompt = _tokenizer.Tokenize(text);
            if (prompt.IsTruncated)
                return;
            byte[] spelled = [.. prompt.Ids.Skip(1).Take(prompt.TokenCount).SelectMany(Bytes)];
            string expected = string.Concat(ClipText.Split(ClipText.Lower(ClipText.CleanWhiteSpace(CanonicalForm.Compose(text)))));
            Assert.Equal(expected, Encoding.UTF8.GetString(spelled));
        });

    [Fact]
    public void Tokenize_AnyText_CaseAndWhiteSpaceDoNotMatter() =>
        ForTexts(text =>
        {
            IReadOnlyList<int> ids = _tokenizer.Tokenize(text).Ids;
            Assert.Equal(ids, _tokenizer.Tokenize($"\t {text.Replace(" ", " \n\u00a0", StringComparison.Ordinal)}  ").Ids);
            Assert.Equal(ids, _tokenizer.Tokenize(ClipText.Lower(ClipText.CleanWhiteSpace(text))).Ids);
        });

    [Fact]
    public void Tokenize_TwoTextsInARow_AreTheirTokensInARow() =>
        ForTexts(text =>
        {
            TokenizedPrompt one = _tokenizer.Tokenize(text),
                two = _tokenizer.Tokenize($"cat {text} car");
            if (one.IsTruncated)
                return;
            // A final sigma looks over blanks to no other word, so a word's tokens do not depend on its neighbours.
            int[] expected = [_tokenizer.Tokenize("cat").Ids[1], .. one.Ids.Skip(1).Take(one.TokenCount), _tokenizer.Tokenize("car").Ids[1]];
            Assert.Equal(expected.Take(75), two.Ids.Skip(1).Take(two.TokenCount));
        });

    [Fact]
    public void Tokenize_AnyLength_WhatIsLostIsTold() =>
        ForTexts(
            text =>
            {
                string words = string.Join(' ', Enumerable.Range(0, 40).Select(i => $"w{i}{text.Replace(" ", "", StringComparison.Ordinal)}"));
                TokenizedPrompt prompt = _tokenizer.Tokenize(words);
                int[] whole = [.. Enumerable.Range(0, prompt.Words.Count).Select(i => _tokenizer.Tokenize(prompt.Words[i]).RequiredTokenCount)];
                int at = 0;
                List<string> lost = [];
                for (int i = 0; i < whole.Length; i++)
                {
                    at += whole[i];
                    if (at > 75)
                        lost.Add(prompt.Words[i]);
                }
                Assert.Equal(at, prompt.RequiredTokenCount);
                Assert.Equal(lost, prompt.TruncatedWords);
                if (lost.Count > 0)
                    Assert.Equal(lost, Assert.Throws<PromptTooLongException>(prompt.EnsureFits).LostWords);
            },
            longest: 6
        );

    // Letters, digits, signs and emoji of many scripts, joined and combined; no lone surrogates, which no file can hold.
    private static void ForTexts(Action<string> law, int longest = 30)
    {
        Random random = new(20261123);
        (int From, int To)[] ranges =
        [
            (0x20, 0x7e),
            (0x20, 0x7e),
            (0x61, 0x7a),
            (0x61, 0x7a),
            (0x30, 0x39),
            (0xa1, 0x24f),
            (0x300, 0x36f),
            (0x370, 0x3ff),
            (0x400, 0x52f),
            (0x5d0, 0x5ea),
            (0x621, 0x64a),
            (0x900, 0x97f),
            (0xe01, 0xe5b),
            (0x1e00, 0x1eff),
            (0x2000, 0x206f),
            (0x2070, 0x209c),
            (0x2150, 0x218b),
            (0x2600, 0x27bf),
            (0x3041, 0x30ff),
            (0x4e00, 0x9fff),
            (0xac00, 0xd7a3),
            (0xfb00, 0xfb06),
            (0xfe0f, 0xfe0f),
            (0x1d400, 0x1d7ff),
            (0x1f300, 0x1faff),
            (0x1f1e6, 0x1f1ff),
            (0x20000, 0x2a6df),
            (0x10000, 0x10ffff),
        ];
        for (int i = 0; i < 1000; i++)
        {
            StringBuilder text = new();
            int length = random.Next(longest + 1);
            for (int k = 0; k < length; k++)
            {
                (int from, int to) = ranges[random.Next(ranges.Length)];
                text.Append(random.Next(6) == 0 ? " " : new Rune(random.Next(from, to + 1)).ToString());
            }
            law(text.ToString());
        }
    }

    private IEnumerable<byte> Bytes(int id)
    {
        string piece = _tokenizer.RawPiece(id);
        return piece is ClipText.StartOfText or ClipText.EndOfText
            ? Encoding.UTF8.GetBytes(piece)
            : ByteAlphabet.Bytes(piece.EndsWith("</w>", StringComparison.Ordinal) ? piece[..^4] : piece);
    }
}
