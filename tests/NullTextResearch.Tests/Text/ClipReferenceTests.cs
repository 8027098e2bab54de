using System.Text.Json;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

/// <summary>
/// CLIP's own vocabulary against ids of the original tokenizer. The vocabulary does not ship: point NULLTEXT_CLIP_TOKENIZER to a folder with
/// vocab.json, merges.txt and cases.json, or put it as shared/tokenizer beside the checkout.
/// </summary>
[Trait("Category", "Golden")]
public sealed class ClipReferenceTests
{
    private static readonly string? Folder = FindFolder();
    private static readonly Lazy<ClipTokenizer> Tokenizer = new(() => ClipTokenizer.Load(Folder!));

    [Fact]
    public void Tokenize_EveryReferenceCase_GivesTheOriginalIds()
    {
        Assert.SkipWhen(Folder is null, "CLIP's vocabulary is not here; set NULLTEXT_CLIP_TOKENIZER to a folder with vocab.json, merges.txt and cases.json");
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder!, "cases.json")));
        List<string> wrong = new List<string>();
        int count = 0;
        foreach (JsonElement row in cases.RootElement.GetProperty("rows").EnumerateArray())
        {
            string text = row.GetProperty("text").GetString()!;
            int[] pieces = [.. row.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            int[] kept = pieces[..Math.Min(75, pieces.Length)];
            int[] expected = [49406, .. kept, .. Enumerable.Repeat(49407, 76 - kept.Length)];

            TokenizedPrompt prompt = Tokenizer.Value.Tokenize(text);
            count++;
            if (!expected.SequenceEqual(prompt.Ids) || prompt.RequiredTokenCount != pieces.Length)
            {
                wrong.Add($"'{text}': expected {string.Join(' ', pieces)}, got {string.Join(' ', prompt.Ids.Skip(1).Take(prompt.TokenCount))}");
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {count} cases differ:\n{string.Join('\n', wrong)}");
        Assert.True(count >= 100, $"only {count} cases were found");
    }

    [Fact]
    public void Load_ClipVocabulary_HasItsIds()
    {
        Assert.SkipWhen(Folder is null, "CLIP's vocabulary is not here; set NULLTEXT_CLIP_TOKENIZER");
        ClipTokenizer tokenizer = Tokenizer.Value;
        Assert.Equal(
            (49406, 49407, 49407, 49408, 77),
            (tokenizer.StartToken, tokenizer.EndToken, tokenizer.PadToken, tokenizer.VocabularySize, tokenizer.ContextLength)
        );
        Assert.Equal("cat", tokenizer.DecodePiece(2368));
    }

    [Fact]
    public void ClosedVocabulary_Clips_IsOpen()
    {
        Assert.SkipWhen(Folder is null, "CLIP's vocabulary is not here; set NULLTEXT_CLIP_TOKENIZER");
        Assert.Null(ClosedVocabulary.Of(Tokenizer.Value));
        Assert.Empty(ClosedVocabulary.Check("any", Tokenizer.Value, "zqx vhtq"));
    }

    [Theory]
    [InlineData("a cat sitting next to a mirror", "mirror", new[] { 7 })]
    [InlineData("A man in glasses eating a doughnut in the park.", "doughnut", new[] { 7 })]
    [InlineData("two grey horned goats crossing a road in the desert", "horned", new[] { 3 })]
    [InlineData("two grey horned goats crossing a road in the desert", "goats", new[] { 4 })]
    [InlineData("Zoom photo of flowers.", "flowers.", new[] { 4, 5 })]
    public void PositionsOf_PromptsOfThePaper(string text, string word, int[] expected)
    {
        Assert.SkipWhen(Folder is null, "CLIP's vocabulary is not here; set NULLTEXT_CLIP_TOKENIZER");
        TokenizedPrompt prompt = Tokenizer.Value.Tokenize(text);

        // Every position belongs to exactly one word.
        Assert.Equal(Enumerable.Range(1, prompt.TokenCount), Enumerable.Range(0, prompt.Words.Count).SelectMany(prompt.PositionsOfWordAt));
        Assert.Equal(expected, prompt.PositionsOf(word));
    }

    private static string? FindFolder()
    {
        if (Environment.GetEnvironmentVariable("NULLTEXT_CLIP_TOKENIZER") is { Length: > 0 } named)
        {
            return named;
        }

        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            string folder = Path.Combine(at.FullName, "shared", "tokenizer");
            if (File.Exists(Path.Combine(folder, "cases.json")))
            {
                return folder;
            }
        }

        return null;
    }
}
