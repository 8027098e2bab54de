using System.Text.Json;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

public sealed class WordTableTokenizerTests
{
    private const string Table = """
        {"bos": 998, "eos": 999, "pad": 999, "max_length": 8,
         "words": {"a": ["a"], "cat": ["cat"], "squirrel": ["squ", "irrel"], "snow": ["snow"], "snowy": ["snow", "y"]},
         "piece_ids": {"a": 1, "cat": 2, "squ": 3, "irrel": 4, "snow": 5, "y": 6}}
        """;

    private readonly WordTableTokenizer _tokenizer = WordTableTokenizer.FromJson(JsonDocument.Parse(Table).RootElement);

    [Fact]
    public void Tokenize_Words_GivesTheirPieces()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("A snowy Squirrel");
        Assert.Equal([998, 1, 5, 6, 3, 4, 999, 999], prompt.Ids);
        Assert.Equal([2, 3], prompt.PositionsOf("snowy"));
        Assert.Equal([4, 5], prompt.PositionsOf("squirrel"));
    }

    [Fact]
    public void Tokenize_UnknownWord_Throws() => Assert.Contains("'tiger'", Assert.Throws<ArgumentException>(() => _tokenizer.Tokenize("a tiger")).Message);

    [Fact]
    public void Tokenize_TooLong_IsCut()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("a a a a a snowy cat");
        Assert.Equal([998, 1, 1, 1, 1, 1, 5, 999], prompt.Ids);
        Assert.Equal(["snowy", "cat"], prompt.TruncatedWords);
    }

    [Fact]
    public void DecodePiece_GivesPieces_AndRefusesOthers()
    {
        Assert.Equal("irrel", _tokenizer.DecodePiece(4));
        Assert.Equal("<|endoftext|>", _tokenizer.DecodePiece(999));
        Assert.Throws<ArgumentOutOfRangeException>(() => _tokenizer.DecodePiece(500));
    }

    [Theory]
    [InlineData("\"irrel\": 4", "\"irrel\": 3")] // one id twice
    [InlineData("\"irrel\": 4", "\"other\": 4")] // no id
    [InlineData("[\"squ\", \"irrel\"]", "[\"squ\"]")] // does not join to the word
    [InlineData("[\"squ\", \"irrel\"]", "[\"squ\", null, \"irrel\"]")]
    [InlineData("\"max_length\": 8", "\"max_length\": 2147483647")]
    [InlineData("\"max_length\": 8", "\"max_length\": 2")]
    [InlineData("\"bos\": 998", "\"bos\": -1")]
    [InlineData("\"a\": 1,", "\"a\": 2147483647,")]
    public void FromJson_Contradiction_Throws(string good, string bad) =>
        Assert.ThrowsAny<ArgumentException>(() =>
            WordTableTokenizer.FromJson(JsonDocument.Parse(Table.Replace(good, bad, StringComparison.Ordinal)).RootElement)
        );

    [Theory]
    [InlineData("\"a\": [\"a\"]", "\"a\": null")]
    [InlineData("\"a\": [\"a\"]", "\"a\": [\"\\ud800\"]")]
    [InlineData("\"a\": [\"a\"]", "\"a\": [\"a\"], \"a\": [\"a\"]")]
    [InlineData("\"a\": 1,", "\"a\": 1.5,")]
    [InlineData("\"a\": 1,", "\"a\": 2147483648,")]
    [InlineData("\"max_length\": 8", "\"max_length\": 8, \"max_length\": 9")]
    public void FromJson_DamagedMember_ThrowsAsDocumented(string good, string bad)
    {
        Assert.Contains(good, Table, StringComparison.Ordinal);
        Exception e = Assert.ThrowsAny<Exception>(() =>
            WordTableTokenizer.FromJson(JsonDocument.Parse(Table.Replace(good, bad, StringComparison.Ordinal)).RootElement)
        );
        Assert.True(e is JsonException or ArgumentException, e.ToString());
    }

    [Fact]
    public void FromJson_MissingMember_Throws() => Assert.Throws<JsonException>(() => WordTableTokenizer.FromJson(JsonDocument.Parse("{}").RootElement));
}
