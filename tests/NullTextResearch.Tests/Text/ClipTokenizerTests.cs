using NullTextResearch.Text;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Text;

/// <summary>Against a vocabulary of our own, small enough to follow by hand; always runs.</summary>
public sealed class ClipTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ntr-tokenizer-").FullName;
    private readonly ClipTokenizer _tokenizer;

    public ClipTokenizerTests()
    {
        ClipVocabularyBuilder
            .Build(["a", "cat", "red", "car", "on", "the", "tiger", "cartoon"], new Dictionary<string, string> { ["snowy"] = "snow", ["watercolor"] = "water" })
            .Save(_folder);
        _tokenizer = ClipTokenizer.Load(_folder);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Tokenize_KnownWords_OneTokenEach_FramedAndPadded()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("A red  cat\ton the CAR");

        Assert.Equal(77, prompt.Ids.Count);
        Assert.Equal(_tokenizer.StartToken, prompt.Ids[0]);
        Assert.Equal(["a", "red", "cat", "on", "the", "car"], Pieces(prompt));
        Assert.All(prompt.Ids.Skip(7), id => Assert.Equal(_tokenizer.EndToken, id));
        Assert.Equal(6, prompt.TokenCount);
        Assert.Equal(["A", "red", "cat", "on", "the", "CAR"], prompt.Words);
    }

    [Fact]
    public void Tokenize_Empty_IsStartAndEndsOnly()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("");
        Assert.Equal([_tokenizer.StartToken, .. Enumerable.Repeat(_tokenizer.EndToken, 76)], prompt.Ids);
        Assert.Empty(prompt.Words);
        Assert.False(prompt.IsTruncated);
    }

    [Fact]
    public void Ids_EndOfText_IsTheHighest_StartOfText_TheOneBelow()
    {
        Assert.Equal(_tokenizer.VocabularySize - 1, _tokenizer.EndToken);
        Assert.Equal(_tokenizer.VocabularySize - 2, _tokenizer.StartToken);
        Assert.Equal(_tokenizer.EndToken, _tokenizer.PadToken);
    }

    [Theory]
    [InlineData("a cat's", "a|cat|'|s")] // "'s" is one word to CLIP; this vocabulary has no merge for it
    [InlineData("cat, red.", "cat|,|red|.")]
    [InlineData("12", "1|2")]
    [InlineData("cat12", "cat|1|2")]
    [InlineData("red-cat", "red|-|cat")]
    [InlineData("cartoon car", "cartoon|car")]
    public void Tokenize_SplitsAsClipDoes(string text, string pieces) => Assert.Equal(pieces.Split('|'), Pieces(_tokenizer.Tokenize(text)));

    [Fact]
    public void Tokenize_SpecialTokenInThePrompt_IsOneToken()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("<|StartOfText|> a cat<|endoftext|>");
        Assert.Equal([_tokenizer.StartToken, _tokenizer.EndToken], prompt.Ids.Skip(1).Take(4).Where(id => id >= _tokenizer.StartToken));
        Assert.Equal(["<|startoftext|>", "a", "cat", "<|endoftext|>"], Pieces(prompt));
        Assert.Equal([3, 4], prompt.PositionsOfWordAt(2));
    }

    [Theory]
    [InlineData("日本")]
    [InlineData("🐱")]
    [InlineData("naïve Ελλάς \u0130 \U0001D400")]
    [InlineData("a\u200bb \u00a0 c")]
    public void Tokenize_AnyText_LosesNoByte(string text)
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize(text);
        string lower = string.Join(' ', text.Split([' ', '\u00a0'], StringSplitOptions.RemoveEmptyEntries))
            .ToLowerInvariant()
            .Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        int bytes = System.Text.Encoding.UTF8.GetByteCount(lower.Replace(" ", "", StringComparison.Ordinal));

        // No merge of this vocabulary applies, so every byte is a token of its own.
        Assert.Equal(bytes, prompt.TokenCount);
        Assert.Equal(Enumerable.Range(1, prompt.TokenCount), Enumerable.Range(0, prompt.Words.Count).SelectMany(prompt.PositionsOfWordAt));
    }

    [Fact]
    public void PositionsOf_WordOfTwoPieces_GivesBoth()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("a snowy cat on the watercolor car");
        Assert.Equal([2, 3], prompt.PositionsOf("snowy"));
        Assert.Equal([4], prompt.PositionsOf("cat"));
        Assert.Equal([7, 8], prompt.PositionsOf("watercolor"));
        Assert.Equal([9], prompt.PositionsOfWordAt(6));
    }

    [Fact]
    public void PositionsOf_RepeatedWord_GivesAllOccurrences() => Assert.Equal([2, 5], _tokenizer.Tokenize("a cat on a cat").PositionsOf("cat"));

    [Fact]
    public void PositionsOf_LetterCase_ExactFirstThenAny()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("Cat cat CAR");
        Assert.Equal([2], prompt.PositionsOf("cat"));
        Assert.Equal([1], prompt.PositionsOf("Cat"));
        Assert.Equal([3], prompt.PositionsOf("car"));
    }

    [Fact]
    public void PositionsOf_UnknownWord_ListsTheWordsAndTheNearest()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize("a red cat.");
        string tiger = Assert.Throws<WordNotInPromptException>(() => prompt.PositionsOf("tiger")).Message;
        Assert.Contains("word 'tiger' is not in the prompt; its words are: a, red, cat", tiger);
        Assert.DoesNotContain("did you mean", tiger);
        Assert.Contains("did you mean 'cat'?", Assert.Throws<WordNotInPromptException>(() => prompt.PositionsOf("cta")).Message);
        Assert.False(prompt.HasWord("tiger"));
        Assert.True(prompt.HasWord("RED"));
    }

    [Theory]
    [InlineData("a cat, in the snow", "cat", new[] { 2, 3 })]
    [InlineData("a cat, in the snow", "cat,", new[] { 2, 3 })]
    [InlineData("a cat, in the snow", "CAT", new[] { 2, 3 })]
    [InlineData("a (red) cat", "red", new[] { 2, 3, 4 })]
    [InlineData("a red cat", "\"cat\"", new[] { 3 })]
    [InlineData("a cat, a cat", "cat", new[] { 5 })] // As the published code: what is spelled exactly so, if anything is.
    [InlineData("a cat, a cat", "cat,", new[] { 2, 3 })]
    [InlineData("a cat, a Cat", "cat", new[] { 5 })]
    [InlineData("a cat , a dog", ",", new[] { 3 })]
    public void PositionsOf_PunctuationAroundTheWord_IsNoHindrance(string text, string word, int[] positions) =>
        Assert.Equal(positions, _tokenizer.Tokenize(text).PositionsOf(word));

    /// <summary>What an error lists, and what <see cref="TokenizedPrompt.Names"/> says, is accepted: any text, cut off or not.</summary>
    [Fact]
    public void PositionsOf_EveryWordThatAnErrorLists_IsAccepted()
    {
        string[] fragments =
        [
            "cat",
            "Cat",
            "house,",
            "(red)",
            "\"snow\"",
            "...",
            ",",
            "a,b",
            "it's",
            "<cat-toy>,",
            "-",
            "x=2",
            "日本。",
            "🐱",
            "é",
            "e\u0301",
            "CAR!",
            "'",
            "#1",
            "half-red",
        ];
        Random random = new(11);
        for (int round = 0; round < 300; round++)
        {
            string text = string.Join(
                random.Next(4) == 0 ? "  " : " ",
                Enumerable.Range(0, random.Next(1, 40)).Select(_ => fragments[random.Next(fragments.Length)])
            );
            TokenizedPrompt prompt = _tokenizer.Tokenize(text);
            WordNotInPromptException error = Assert.Throws<WordNotInPromptException>(() => prompt.PositionsOf("zebra"));
            Assert.Equal(prompt.Names, error.Words);
            Assert.NotEmpty(error.Words);
            foreach (string name in error.Words.Concat(prompt.Words.Where((_, i) => prompt.PositionsOfWordAt(i).Count > 0)))
            {
                Assert.True(prompt.HasWord(name), $"'{name}' of '{text}'");
                Assert.All(prompt.PositionsOf(name), p => Assert.InRange(p, 1, prompt.TokenCount));
            }
        }
    }

    [Fact]
    public void PositionsOf_ExactWordCutOffButAnotherInTheRow_TakesThatOne()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize(string.Join(' ', ["CAT,", .. Enumerable.Repeat("red", 80), "cat"]));
        Assert.True(prompt.HasWord("cat"));
        Assert.Equal(1, prompt.PositionsOf("cat")[0]);
    }

    [Fact]
    public void PositionsOf_WhiteSpaceRuns_DoNotShiftWords() => Assert.Equal([3], _tokenizer.Tokenize("  a   red\n cat ").PositionsOf("cat"));

    [Fact]
    public void PositionsOfWordAt_OutOfRange_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => _tokenizer.Tokenize("a cat").PositionsOfWordAt(2));

    [Fact]
    public void Tokenize_ExactlyFull_Fits()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize(string.Join(' ', Enumerable.Repeat("cat", 75)));
        Assert.False(prompt.IsTruncated);
        Assert.Same(prompt, prompt.EnsureFits());
        Assert.Equal(_tokenizer.EndToken, prompt.Ids[76]);
        Assert.Equal(75, prompt.TokenCount);
    }

    [Fact]
    public void Tokenize_TooLong_IsCut_AndNamesTheLostWords()
    {
        TokenizedPrompt prompt = _tokenizer.Tokenize(string.Join(' ', Enumerable.Repeat("a", 74)) + " snowy red tiger");

        Assert.True(prompt.IsTruncated);
        Assert.Equal((75, 78), (prompt.TokenCount, prompt.RequiredTokenCount));
        Assert.Equal(_tokenizer.EndToken, prompt.Ids[76]);
        Assert.Equal(["snowy", "red", "tiger"], prompt.TruncatedWords);
        Assert.Equal([75], prompt.PositionsOf("snowy"));
        Assert.Contains("beyond the end", Assert.Throws<WordNotInPromptException>(() => prompt.PositionsOf("tiger")).Message);

        PromptTooLongException error = Assert.Throws<PromptTooLongException>(prompt.EnsureFits);
        Assert.Equal((78, 75), (error.Required, error.Available));
        Assert.Contains("snowy red tiger", error.Message);
    }

    [Fact]
    public void Stack_TwoPrompts_IsAnInt64Matrix()
    {
        TokenizedPrompt cat = _tokenizer.Tokenize("a cat"),
            none = _tokenizer.Tokenize("");
        using Tensor ids = TokenizedPrompt.Stack([none, cat]);
        Assert.Equal([2, 77], ids.shape);
        Assert.Equal(ScalarType.Int64, ids.dtype);
        Assert.Equal([.. none.Ids, .. cat.Ids], ids.data<long>().ToArray().Select(id => (int)id));
    }

    [Fact]
    public void DecodePiece_UnknownId_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => _tokenizer.DecodePiece(_tokenizer.VocabularySize));

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        File.Delete(Path.Combine(_folder, "merges.txt"));
        Assert.Contains("merges.txt", Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder)).FilePath);
    }

    [Theory]
    [InlineData("vocab.json", "[1, 2]", "piece: id")]
    [InlineData("vocab.json", "{\"a\": ", "piece: id")]
    [InlineData("vocab.json", "{}", "empty")]
    [InlineData("vocab.json", "{\"a\": 0}", "vocab.json")]
    [InlineData("merges.txt", "#version: 0.2\nzq zq\n", "zq")]
    [InlineData("merges.txt", "#version: 0.2\nc a t\n", "line 2")]
    [InlineData("tokenizer_config.json", "{\"model_max_length\": 1}", "at least 3")]
    [InlineData("tokenizer_config.json", "nonsense", "not a tokenizer configuration")]
    [InlineData("special_tokens_map.json", "{\"pad_token\": \"<nothing>\"}", "<nothing>")]
    [InlineData("special_tokens_map.json", "nonsense", "not a tokenizer configuration")]
    public void Load_DamagedFile_SaysWhatIsWrong(string file, string content, string says)
    {
        File.WriteAllText(Path.Combine(_folder, file), content);
        Assert.Contains(says, Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder)).Message);
    }

    [Fact]
    public void Load_ConfigNamesLengthAndPadding_AreUsed()
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), """{"model_max_length": 12, "pad_token": {"content": "!"}}""");
        File.Delete(Path.Combine(_folder, "special_tokens_map.json"));
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);
        TokenizedPrompt prompt = tokenizer.Tokenize("a cat");
        Assert.Equal(12, prompt.ContextLength);
        Assert.Equal(0, tokenizer.PadToken);
        Assert.Equal([tokenizer.EndToken, 0], prompt.Ids.Skip(3).Take(2));
    }

    [Fact]
    public void Load_TwoFilesNameThePadding_TheMapOfSpecialTokensWins()
    {
        // As in the folders of Stable Diffusion 2.x, where the two differ.
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), """{"model_max_length": 77, "pad_token": "<|endoftext|>"}""");
        File.WriteAllText(Path.Combine(_folder, "special_tokens_map.json"), """{"pad_token": "!"}""");
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);
        Assert.Equal(0, tokenizer.PadToken);
        // A "!" of the prompt keeps the vocabulary's own token at the end of a word.
        TokenizedPrompt prompt = tokenizer.Tokenize("a cat!");
        Assert.Equal("!", tokenizer.DecodePiece(prompt.Ids[3]));
        Assert.NotEqual(0, prompt.Ids[3]);
        Assert.Equal([tokenizer.EndToken, 0], prompt.Ids.Skip(4).Take(2));
        Assert.Equal(tokenizer.EndToken, ClipTokenizer.Load(_folder, "<|endoftext|>").PadToken);
    }

    [Fact]
    public void Load_NoLimitConfigured_Keeps77()
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), """{"model_max_length": 1000000000000000019884624838656}""");
        Assert.Equal(77, ClipTokenizer.Load(_folder).ContextLength);
    }

    [Theory]
    [InlineData("2147483647")]
    [InlineData("65537")]
    [InlineData("null")]
    public void Load_LengthThatIsNoLimit_Keeps77(string length)
    {
        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), $$"""{"model_max_length": {{length}}}""");
        Assert.Equal(77, ClipTokenizer.Load(_folder).ContextLength);
    }

    public static TheoryData<string, string> OddFiles
    {
        get
        {
            TheoryData<string, string> data = [];
            foreach (string file in ClipTokenizer.FileNames)
            {
                foreach (string kind in TestKit.OddPlaces.Kinds.Keys)
                    data.Add(file, kind);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(OddFiles))]
    public void Load_NoRegularFile_SaysWhatItIs(string file, string kind)
    {
        string path = Path.Combine(_folder, file);
        TestKit.OddPlaces.Put(path, kind);
        TokenizerFileException e = TestKit.OddPlaces.Within(() => Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder)));
        Assert.Equal(path, e.FilePath);
        Assert.Contains(TestKit.OddPlaces.Kinds[kind], e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MergeLineTwice_NamesBothLines()
    {
        string path = Path.Combine(_folder, "merges.txt");
        string[] lines = File.ReadAllLines(path);
        File.WriteAllLines(path, [.. lines, lines[1]]);
        Assert.Contains(
            $"line {lines.Length + 1} is '{lines[1]}', like line 2:",
            Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("\"a\":64", "\"a\":65", "share the id 65")]
    [InlineData("\"a\":64", "\"a\":64.5", "the id of 'a' is 64.5")]
    [InlineData("\"a\":64", "\"a\":-1", "the id of 'a' is -1")]
    [InlineData("\"a\":64", "\"a\":2147483648", "the id of 'a' is 2147483648")]
    [InlineData("\"a\":64", "\"a\":1000000", "the id of 'a' is 1000000")]
    [InlineData("\"a\":64", "\"a\":null", "the id of 'a' is null")]
    [InlineData("\"a\":64", "\"a\":64,\"a\":64", "the name 'a' appears twice")]
    [InlineData("\"a\":64", "\"\\ud800\":64", "half a character")]
    public void Load_VocabularyThatContradictsItself_SaysWhere(string good, string bad, string says)
    {
        string path = Path.Combine(_folder, "vocab.json");
        string text = File.ReadAllText(path);
        Assert.Contains(good, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(good, bad, StringComparison.Ordinal));
        TokenizerFileException e = Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder));
        Assert.Equal(path, e.FilePath);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"model_max_length": 1.5}""", "model_max_length is 1.5")]
    [InlineData("tokenizer_config.json", """{"model_max_length": "77"}""", "model_max_length is \"77\"")]
    [InlineData("tokenizer_config.json", """{"model_max_length": -1}""", "at least 3")]
    [InlineData("tokenizer_config.json", """{"pad_token": "!", "pad_token": "?"}""", "appears twice")]
    [InlineData("tokenizer_config.json", """[]""", "not a tokenizer configuration")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": []}""", "added_tokens_decoder is []")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"x": {"content": "w"}}}""", "the id 'x'")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"9999": "w"}}""", "9999 in added_tokens_decoder is \"w\"")]
    [InlineData("special_tokens_map.json", """{"pad_token": 5}""", "pad_token is 5")]
    [InlineData("special_tokens_map.json", """{"pad_token": "\udc00"}""", "half a character")]
    [InlineData("added_tokens.json", """{"<w>": 0}""", "which belongs to '!'")]
    [InlineData("added_tokens.json", """{"<w>": 9000, "<v>": 9000}""", "share the id 9000")]
    [InlineData("added_tokens.json", """{"<w>": 1.5}""", "the id of '<w>' is 1.5")]
    [InlineData("added_tokens.json", """{"my word": 9000}""", "white space")]
    [InlineData("added_tokens.json", """{"": 9000}""", "is empty")]
    [InlineData("added_tokens.json", """{"a": 9000}""", "in vocab.json")]
    [InlineData("merges.txt", "<html><head></head></html>", "a web page")]
    [InlineData("vocab.json", "version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS")]
    public void Load_DamagedSetting_SaysWhatIsWrong(string file, string content, string says)
    {
        File.WriteAllText(Path.Combine(_folder, file), content);
        TokenizerFileException e = Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder));
        Assert.Equal(Path.Combine(_folder, file), e.FilePath);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MergesThatAreNoUtf8_SaysTheByte()
    {
        File.WriteAllBytes(Path.Combine(_folder, "merges.txt"), [(byte)'a', 0xFF, (byte)' ']);
        Assert.Contains("byte 1", Assert.Throws<TokenizerFileException>(() => ClipTokenizer.Load(_folder)).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// As transformers' CLIPTokenizer splits: the leftmost and there the longest, in its own letter case, whatever touches it; the rest is tokenized
    /// piece by piece.
    /// </summary>
    [Theory]
    [InlineData("a <cat-toy> on the car", "a|<cat-toy>|on|the|car")]
    [InlineData("A <cat-toy>, red", "a|<cat-toy>|,|red")]
    [InlineData("red<cat-toy>car", "red|<cat-toy>|car")]
    [InlineData("<cat-toy><cat-toy>", "<cat-toy>|<cat-toy>")]
    [InlineData("<cat-toy>x", "<cat-toy>x")]
    [InlineData("the Sks", "the|Sks")]
    [InlineData("the sks", "the|s|k|s")]
    [InlineData("a <Cat-toy>", "a|<|cat|-|t|o|y|>")]
    [InlineData("catlike on catalone", "ca|t|l|i|k|e|on|ca|t|a|l|o|n|e")]
    [InlineData("a alone cat", "a|alone|cat")]
    public void Tokenize_LearnedWords_AreOneTokenEach(string text, string pieces)
    {
        int free = _tokenizer.VocabularySize;
        File.WriteAllText(Path.Combine(_folder, "added_tokens.json"), $$"""{"<cat-toy>": {{free}}, "<cat-toy>x": {{free + 1}}, "Sks": {{free + 2}} }""");
        File.WriteAllText(
            Path.Combine(_folder, "tokenizer_config.json"),
            $$$$"""
            {"added_tokens_decoder": {"{{{{free}}}}": {"content": "<cat-toy>", "single_word": false}, "{{{{free
                + 3}}}}": {"content": "alone", "single_word": true}, "{{{{_tokenizer.EndToken}}}}": {"content": "<|endoftext|>", "special": true}}}
            """
        );
        ClipTokenizer tokenizer = ClipTokenizer.Load(_folder);
        TokenizedPrompt prompt = tokenizer.Tokenize(text);
        Assert.Equal(pieces.Split('|'), prompt.Ids.Skip(1).Take(prompt.TokenCount).Select(tokenizer.DecodePiece));
        Assert.Equal(free + 4, tokenizer.VocabularySize);
        Assert.Equal(["<cat-toy>", "<cat-toy>x", "Sks", "alone"], tokenizer.LearnedWords.Keys);
        // Every piece belongs to a word, in order.
        Assert.Equal(Enumerable.Range(1, prompt.TokenCount), Enumerable.Range(0, prompt.Words.Count).SelectMany(prompt.PositionsOfWordAt));
    }

    /// <summary>As diffusers' pipelines expand them.</summary>
    [Fact]
    public void Tokenize_LearnedWordOfSeveralVectors_StandsForAllOfThem()
    {
        int free = _tokenizer.VocabularySize;
        File.WriteAllText(
            Path.Combine(_folder, "added_tokens.json"),
            $$"""{"<toy>": {{free}}, "<toy>_1": {{free + 1}}, "<toy>_2": {{free + 2}}, "<toy>_4": {{free + 3}} }"""
        );
        TokenizedPrompt prompt = ClipTokenizer.Load(_folder).Tokenize("a <toy>, red");
        Assert.Equal([free, free + 1, free + 2], prompt.Ids.Skip(2).Take(3));
        Assert.Equal([2, 3, 4, 5], prompt.PositionsOf("<toy>,"));
        Assert.Equal([6], prompt.PositionsOf("red"));
    }

    private string[] Pieces(TokenizedPrompt prompt) => [.. prompt.Ids.Skip(1).Take(prompt.TokenCount).Select(_tokenizer.DecodePiece)];
}
