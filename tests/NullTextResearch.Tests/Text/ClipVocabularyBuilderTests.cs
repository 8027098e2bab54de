using System.Text.Json;
using NullTextResearch.Text;
using Xunit;

namespace NullTextResearch.Tests.Text;

public sealed class ClipVocabularyBuilderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-vocabulary-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Build_HundredsOfOverlappingWords_EachIsOneToken()
    {
        // Words over three letters share every possible prefix, suffix and middle: the hard case for greedy merging.
        Random random = new Random(7);
        string[] words =
        [
            .. Enumerable.Range(0, 400).Select(_ => new string([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => "abc"[random.Next(3)])])).Distinct(),
        ];
        ClipVocabularyBuilder.Build(words).Save(_folder);
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);

        Assert.All(
            words,
            word =>
            {
                TokenizedPrompt prompt = tokenizer.Tokenize(word);
                Assert.Equal(1, prompt.TokenCount);
                Assert.Equal(word, tokenizer.DecodePiece(prompt.Ids[1]));
            }
        );
        Assert.Equal(words.Length, words.Select(w => tokenizer.Tokenize(w).Ids[1]).Distinct().Count());
    }

    [Fact]
    public void Tokenize_RandomWords_AgreesWithTheTextbookMerges()
    {
        Random random = new Random(11);
        string Word(int longest) => new([.. Enumerable.Range(0, random.Next(1, longest)).Select(_ => "abcd#"[random.Next(5)])]);
        string[] taught = [.. Enumerable.Range(0, 150).Select(_ => Word(8).Replace("#", "", StringComparison.Ordinal)).Where(w => w.Length > 0).Distinct()];
        ClipVocabularyBuilder.Build([.. taught, "##", "####", "#####"]).Save(_folder);
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);
        List<(string, string)> merges = [.. File.ReadLines(Path.Combine(_folder, "merges.txt")).Skip(1).Select(l => l.Split(' ')).Select(l => (l[0], l[1]))];
        Dictionary<string, int> vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(Path.Combine(_folder, "vocab.json")))!;

        for (int i = 0; i < 2000; i++)
        {
            // Letters alone or signs alone: CLIP would split a mixture.
            string word = i % 4 == 0 ? new string('#', random.Next(1, 12)) : Word(14).Replace("#", "a", StringComparison.Ordinal);
            TokenizedPrompt prompt = tokenizer.Tokenize(word);
            Assert.Equal(Textbook(word), prompt.Ids.Skip(1).Take(prompt.TokenCount));
        }

        // Joins the best-ranked pair, everywhere, until none is left.
        IEnumerable<int> Textbook(string word)
        {
            List<string> pieces = [.. word.Select(c => c.ToString())];
            pieces[^1] += "</w>";
            while (
                Enumerable.Range(0, pieces.Count - 1).Select(i => merges.IndexOf((pieces[i], pieces[i + 1]))).Where(r => r >= 0).DefaultIfEmpty(-1).Min()
                    is >= 0
                        and int best
            )
            {
                for (int i = 0; i + 1 < pieces.Count; i++)
                {
                    if ((pieces[i], pieces[i + 1]) == merges[best])
                    {
                        pieces[i] += pieces[i + 1];
                        pieces.RemoveAt(i + 1);
                    }
                }
            }

            return pieces.Select(p => vocabulary[p]);
        }
    }

    [Fact]
    public void Build_SplitWords_HaveTwoTokens_AlsoBesideTheirParts()
    {
        ClipVocabularyBuilder
            .Build(
                ["snow", "snowman", "y", "water", "color", "waterfall", "sun", "flower", "café"],
                new Dictionary<string, string>
                {
                    ["snowy"] = "snow",
                    ["watercolor"] = "water",
                    ["sunflower"] = "sun",
                    ["rainy"] = "rain",
                }
            )
            .Save(_folder);
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);

        Assert.Equal(["snow", "y"], Pieces("snowy"));
        Assert.Equal(["water", "color"], Pieces("watercolor"));
        Assert.Equal(["sun", "flower"], Pieces("sunflower"));
        Assert.Equal(["rain", "y"], Pieces("rainy"));
        Assert.Equal(["snowman"], Pieces("snowman"));
        Assert.Equal(["café"], Pieces("café"));

        string[] Pieces(string word)
        {
            TokenizedPrompt prompt = tokenizer.Tokenize(word);
            return [.. prompt.Ids.Skip(1).Take(prompt.TokenCount).Select(tokenizer.DecodePiece)];
        }
    }

    [Fact]
    public void Save_WritesTheFourFiles_InClipsLayout()
    {
        ClipVocabularyBuilder builder = ClipVocabularyBuilder.Build(["cat", "dog"]);
        builder.Save(_folder);

        Dictionary<string, int> vocabulary = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(Path.Combine(_folder, "vocab.json")))!;
        Assert.Equal(512 + 4 + 2, vocabulary.Count);
        Assert.Equal(vocabulary.Count, builder.VocabularySize);
        Assert.Equal(Enumerable.Range(0, vocabulary.Count), vocabulary.Values.Order());
        Assert.Equal(0, vocabulary["!"]);
        Assert.Equal(256, vocabulary["!</w>"]);
        Assert.Equal(vocabulary.Count - 1, vocabulary["<|endoftext|>"]);
        Assert.Equal(["#version: 0.2", "c a", "ca t</w>", "d o", "do g</w>"], File.ReadAllLines(Path.Combine(_folder, "merges.txt")));
        using JsonDocument config = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "tokenizer_config.json")));
        Assert.Equal("CLIPTokenizer", config.RootElement.GetProperty("tokenizer_class").GetString());
        Assert.Equal(77, config.RootElement.GetProperty("model_max_length").GetInt32());
        using JsonDocument special = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "special_tokens_map.json")));
        Assert.Equal("<|endoftext|>", special.RootElement.GetProperty("pad_token").GetString());
    }

    [Fact]
    public void Build_SameWordsInAnyOrder_GivesTheSameFiles()
    {
        ClipVocabularyBuilder.Build(["cat", "dog", "at"]).Save(Path.Combine(_folder, "a"));
        ClipVocabularyBuilder.Build(["dog", "at", "cat", "cat"]).Save(Path.Combine(_folder, "b"));
        foreach (string file in new[] { "vocab.json", "merges.txt" })
        {
            Assert.Equal(File.ReadAllText(Path.Combine(_folder, "a", file)), File.ReadAllText(Path.Combine(_folder, "b", file)));
        }
    }

    [Theory]
    [InlineData("Cat")]
    [InlineData("two words")]
    [InlineData("t-shirt")]
    [InlineData("")]
    [InlineData("<|endoftext|>")]
    public void Build_ImpossibleWord_Throws(string word) => Assert.Throws<ArgumentException>(() => ClipVocabularyBuilder.Build([word]));

    [Theory]
    [InlineData("snowy", "rain")]
    [InlineData("snowy", "snowy")]
    [InlineData("snowy", "")]
    public void Build_ImpossibleSplit_Throws(string word, string first) =>
        Assert.Throws<ArgumentException>(() => ClipVocabularyBuilder.Build([], new Dictionary<string, string> { [word] = first }));

    [Fact]
    public void Build_WordListedBothWays_Throws() =>
        Assert.Throws<ArgumentException>(() => ClipVocabularyBuilder.Build(["snowy"], new Dictionary<string, string> { ["snowy"] = "snow" }));
}
