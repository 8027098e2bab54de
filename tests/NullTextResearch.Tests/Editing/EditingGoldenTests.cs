using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Editing;
using NullTextResearch.TestKit;
using NullTextResearch.Text;
using NullTextResearch.Verification;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Editing;

/// <summary>Mappers and masks against numbers of the released Python code (data/golden, whose README says how they were made).</summary>
[Trait("Category", "Golden")]
[LeavesNoTensors]
public sealed class EditingGoldenTests
{
    private const string Mappers = "p2p_mappers.safetensors";
    private const string Blends = "p2p_localblend.safetensors";
    private static readonly Lazy<JsonElement> Manifest = new(() =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(GoldenTensors.Folder, "manifest.json"))).RootElement
    );
    private static readonly Lazy<WordTableTokenizer> Tokenizer = new(() => WordTableTokenizer.FromJson(Manifest.Value.GetProperty("tokenizer")));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void Mappers_PublishedCase_AreEqual(int index)
    {
        using DisposeScope scope = NewDisposeScope();
        GoldenTensors file = Open(Mappers);
        JsonElement golden = Cases(Mappers)[index];
        TokenizedPrompt[] prompts = [.. golden.GetProperty("prompts").EnumerateArray().Select(p => Tokenizer.Value.Tokenize(p.GetString()!))];
        TokenizedPrompt source = prompts[0];
        TokenizedPrompt[] targets = prompts[1..];
        AssertEqual("input_ids", TokenizedPrompt.Stack(prompts));

        if (golden.TryGetProperty("replace_error", out _))
            Assert.Contains(targets, t => Record.Exception(() => TokenAlignment.Replacement(source, t)) is WordCountMismatchException);
        else
            AssertEqual("replace_mapper", stack([.. targets.Select(t => TokenAlignment.Replacement(source, t, TailRule.Published))], 0));

        RefinementAlignment[] alignments = [.. targets.Select(t => TokenAlignment.Refinement(source, t))];
        AssertEqual("refine_mapper", stack([.. alignments.Select(a => tensor(a.Sources.Select(s => (long)s).ToArray()))], 0));
        AssertEqual("refine_alphas", stack([.. alignments.Select(a => tensor(a.Weights.ToArray()))], 0));

        int steps = golden.GetProperty("alpha_num_steps").GetInt32();
        foreach (JsonProperty schedule in golden.GetProperty("cross_replace_steps").EnumerateObject())
            AssertEqual($"alpha_{schedule.Name}", GoldenEditing.Schedule(schedule.Value).Table(steps, targets).view(steps + 1, targets.Length, 1, 1, -1));

        JsonElement equalizer = golden.GetProperty("equalizer");
        ReWeight reWeight = ReWeight.Of(
            [.. equalizer.GetProperty("words").EnumerateArray().Select(w => w.GetString()!)],
            [.. equalizer.GetProperty("values").EnumerateArray().Select(v => v.GetDouble())]
        ) with
        {
            MissingWords = MissingWordRule.Skip,
        };
        AssertEqual("equalizer", tensor(reWeight.Equalizer(Tokenizer.Value.Tokenize(equalizer.GetProperty("text").GetString()!)).ToArray()).unsqueeze(0));

        JsonElement wordIndices = golden.GetProperty("word_inds");
        for (int p = 0; p < prompts.Length; p++)
        {
            foreach (JsonProperty word in wordIndices[p].EnumerateObject())
            {
                IReadOnlyList<int> positions = int.TryParse(word.Name, out int at) ? prompts[p].PositionsOfWordAt(at) : prompts[p].PositionsOf(word.Name);
                Assert.Equal(word.Value.EnumerateArray().Select(v => v.GetInt32()), positions);
            }
        }

        void AssertEqual(string name, Tensor actual)
        {
            Tensor expected = file[$"{index}.{name}"];
            Assert.Equal(expected.shape, actual.shape);
            Assert.True(MaxDifference(expected, actual) <= 1e-7, name);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void LocalBlend_PublishedCase_HasEqualMasksAndLatents(int index)
    {
        using DisposeScope scope = NewDisposeScope();
        GoldenTensors file = Open(Blends);
        JsonElement golden = Cases(Blends)[index];
        TokenizedPrompt[] prompts = [.. golden.GetProperty("prompts").EnumerateArray().Select(p => Tokenizer.Value.Tokenize(p.GetString()!))];
        JsonElement options = golden.GetProperty("kwargs");
        IReadOnlyList<string> Words(JsonElement lists, int prompt) => [.. lists[prompt].EnumerateArray().Select(w => w.GetString()!)];
        LocalBlend blend = new()
        {
            SourceWords = Words(golden.GetProperty("words"), 0),
            TargetWords = Words(golden.GetProperty("words"), 1),
            SubtractSourceWords = options.TryGetProperty("substruct_words", out JsonElement subtract) ? Words(subtract, 0) : [],
            SubtractTargetWords = options.TryGetProperty("substruct_words", out subtract) ? Words(subtract, 1) : [],
            Threshold = options.GetProperty("th")[0].GetDouble(),
            SubtractThreshold = options.GetProperty("th")[1].GetDouble(),
            StartFraction = golden.GetProperty("start_blend").GetDouble(),
            Layers = MapSelection.PublishedSlices,
        };
        Assert.Equal(2, blend.FirstStep(golden.GetProperty("num_ddim_steps").GetInt32()));
        (string Name, UNetStage Stage)[] layers =
        [
            ("unread", UNetStage.Down),
            ("unread", UNetStage.Down),
            ("down_cross.2", UNetStage.Down),
            ("down_cross.3", UNetStage.Down),
            ("up_cross.0", UNetStage.Up),
            ("up_cross.1", UNetStage.Up),
            ("up_cross.2", UNetStage.Up),
        ];
        StoredMap[] maps =
        [
            .. layers.Select(
                (l, i) =>
                    l.Name == "unread"
                        ? new StoredMap(LocalBlendTests.Site(i, l.Stage), 32, 32, zeros([2, 2, 1024, 77]), 1)
                        : new StoredMap(LocalBlendTests.Site(i, l.Stage), 16, 16, file[$"map.{l.Name}"].view(2, 2, 256, 77), 1)
            ),
        ];

        using BlendMask mask = blend.Mask(maps, prompts[0], 0, prompts[1], 1, 16, 16);
        string tag = golden.GetProperty("tag").GetString()!;
        AssertSame("mask_words", mask.Words);
        AssertSame("mask", mask.Final);
        if (mask.Subtract is { } cut)
            AssertSame("mask_sub", cut);

        // Any latents show whether blending agrees: the stored output equals the source's outside the mask.
        Tensor expected = file[$"{tag}.x_out"];
        Tensor source = expected.narrow(0, 0, 1),
            target = expected.narrow(0, 1, 1);
        Assert.Equal(0, MaxDifference(target, LocalBlend.Apply(source, target, mask.Final.narrow(0, 1, 1))));

        void AssertSame(string name, Tensor actual) => Assert.True(file[$"{tag}.{name}"].equal(actual).all().item<bool>(), name);
    }

    private static JsonElement Cases(string file) => Manifest.Value.GetProperty("files").GetProperty(file).GetProperty("cases");

    private static GoldenTensors Open(string name)
    {
        Assert.SkipUnless(GoldenTensors.Has(name) && GoldenTensors.Has("manifest.json"), $"{name} or its manifest.json is not in {GoldenTensors.Folder}.");
        return new GoldenTensors(name);
    }
}
