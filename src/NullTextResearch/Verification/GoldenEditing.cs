using System.Globalization;
using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Editing;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>Token mappers, windows, multipliers and local-blend masks; also converts edits from the manifest's notation to this library's types.</summary>
internal static class GoldenEditing
{
    public static void Mappers(GoldenFile file)
    {
        foreach ((JsonElement golden, int order) in file.Entry.GetProperty("cases").EnumerateArray().Select((c, i) => (c, i)))
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = (golden.TryGetProperty("index", out JsonElement index) ? index.GetInt32() : order).ToString(CultureInfo.InvariantCulture) + ".";
            TokenizedPrompt[] prompts = Prompts(file, golden);
            TokenizedPrompt source = prompts[0];
            TokenizedPrompt[] targets = prompts[1..];
            file.Fact(
                prefix + "token_ids",
                golden
                    .GetProperty("token_ids")
                    .EnumerateArray()
                    .Select((ids, p) => ids.EnumerateArray().Select(i => i.GetInt32()).SequenceEqual(prompts[p].Ids.Take(prompts[p].TokenCount + 2)))
                    .All(equal => equal),
                "token ids of all prompts"
            );
            file.Fact(
                prefix + "word_inds",
                golden
                    .GetProperty("word_inds")
                    .EnumerateArray()
                    .Select(
                        (words, p) =>
                            words
                                .EnumerateObject()
                                .All(word =>
                                    word.Value.EnumerateArray()
                                        .Select(v => v.GetInt32())
                                        .SequenceEqual(
                                            int.TryParse(word.Name, CultureInfo.InvariantCulture, out int at)
                                                ? prompts[p].PositionsOfWordAt(at)
                                                : prompts[p].PositionsOf(word.Name)
                                        )
                                )
                    )
                    .All(equal => equal),
                "positions of all words"
            );

            if (golden.TryGetProperty("replace_error", out _))
                file.Fact(
                    prefix + "replace_error",
                    targets.Any(t => source.Words.Count != t.Words.Count && Refuses(source, t)),
                    "a word swap between unequal word counts is refused"
                );
            else
                file.Report(prefix + "replace_mapper", stack([.. targets.Select(t => TokenAlignment.Replacement(source, t, TailRule.Published))], 0));

            RefinementAlignment[] alignments = [.. targets.Select(t => TokenAlignment.Refinement(source, t))];
            file.Report(prefix + "refine_mapper", stack([.. alignments.Select(a => tensor(a.Sources.Select(s => (long)s).ToArray()))], 0));
            file.Report(prefix + "refine_alphas", stack([.. alignments.Select(a => tensor(a.Weights.ToArray()))], 0));

            int steps = golden.GetProperty("alpha_num_steps").GetInt32();
            foreach (JsonProperty schedule in golden.GetProperty("cross_replace_steps").EnumerateObject())
                file.Report($"{prefix}alpha_{schedule.Name}", Schedule(schedule.Value).Table(steps, targets).view(steps + 1, targets.Length, 1, 1, -1));

            JsonElement equalizer = golden.GetProperty("equalizer");
            ReWeight reWeight = ReWeight.Of(Texts(equalizer.GetProperty("words")), Numbers(equalizer.GetProperty("values"))) with
            {
                MissingWords = MissingWordRule.Skip,
            };
            TokenizedPrompt text = file.Folder.Tokenizer.Tokenize(equalizer.GetProperty("text").GetString()!);
            file.Report(prefix + "equalizer", tensor(reWeight.Equalizer(text).ToArray()).unsqueeze(0));
        }
    }

    public static void LocalBlends(GoldenFile file)
    {
        foreach (JsonElement golden in file.Entry.GetProperty("cases").EnumerateArray())
        {
            using DisposeScope scope = NewDisposeScope();
            string tag = golden.GetProperty("tag").GetString()!;
            TokenizedPrompt[] prompts = Prompts(file, golden);
            JsonElement options = golden.GetProperty("kwargs");
            LocalBlend blend = Blend(
                golden.GetProperty("words"),
                options.TryGetProperty("substruct_words", out JsonElement subtract) ? subtract : null,
                options.TryGetProperty("th", out JsonElement th) ? th : null
            ) with
            {
                StartFraction = golden.GetProperty("start_blend").GetDouble(),
            };
            long[] shape = file.Shape(tag + ".x_out");
            using BlendMask mask = blend.Mask(Maps(file, (int)shape[2], (int)shape[3]), prompts[0], 0, prompts[1], 1, shape[2], shape[3]);
            file.Report(tag + ".mask_words", mask.Words);
            file.Report(tag + ".mask", mask.Final);
            if (mask.Subtract is { } cut)
                file.Report(tag + ".mask_sub", cut);

            // The stored latents are those of the first call that blends.
            Tensor latents = file.Folder.Formula.Input("input:latents2", shape).to(file.Dtype(tag + ".x_out"));
            Tensor source = latents.narrow(0, 0, 1);
            file.Report(tag + ".x_out", cat([source, LocalBlend.Apply(source, latents.narrow(0, 1, 1), mask.Final.narrow(0, 1, 1))], 0));
        }
    }

    /// <summary>A prompt-to-prompt case; the first prompt is the source.</summary>
    public static ImageEdit Edit(ITextTokenizer tokenizer, JsonElement golden)
    {
        string kind = golden.GetProperty("kind").GetString()!;
        string[] prompts = Texts(golden.GetProperty("prompts"));
        PromptEdit edit = kind.Contains("replace", StringComparison.Ordinal) ? new WordSwap { Tail = TailRule.Published } : new Refinement();
        if (golden.TryGetProperty("eq", out JsonElement factors))
            edit = ReWeight.Of(Texts(factors[0]), Numbers(factors[1]), edit) with { MissingWords = MissingWordRule.Skip };
        LocalBlend? blend = golden.TryGetProperty("blend", out JsonElement words)
            ? Blend(
                words,
                golden.TryGetProperty("sub", out JsonElement subtract) ? subtract : null,
                golden.TryGetProperty("th", out JsonElement th) ? th : null
            )
            : null;
        return new ImageEdit
        {
            Source = tokenizer.Tokenize(prompts[0]),
            Targets =
            [
                .. prompts[1..]
                    .Select(prompt => new EditTarget
                    {
                        Prompt = tokenizer.Tokenize(prompt),
                        Edit = edit,
                        CrossReplace = Schedule(golden.GetProperty("cross_replace_steps")),
                        SelfReplace = Window(golden.GetProperty("self_replace_steps")),
                        Blend = blend,
                    }),
            ],
        };
    }

    public static string[] Texts(JsonElement list) =>
        list.ValueKind == JsonValueKind.String ? [list.GetString()!] : [.. list.EnumerateArray().Select(t => t.GetString()!)];

    private static double[] Numbers(JsonElement list) =>
        list.ValueKind == JsonValueKind.Number ? [list.GetDouble()] : [.. list.EnumerateArray().Select(n => n.GetDouble())];

    private static TokenizedPrompt[] Prompts(GoldenFile file, JsonElement golden) =>
        [.. Texts(golden.GetProperty("prompts")).Select(file.Folder.Tokenizer.Tokenize)];

    private static bool Refuses(TokenizedPrompt source, TokenizedPrompt target)
    {
        try
        {
            using Tensor mapper = TokenAlignment.Replacement(source, target);
            return false;
        }
        catch (WordCountMismatchException)
        {
            return true;
        }
    }

    private static LocalBlend Blend(JsonElement words, JsonElement? subtract, JsonElement? thresholds) =>
        new()
        {
            SourceWords = Texts(words[0]),
            TargetWords = Texts(words[1]),
            SubtractSourceWords = subtract is { } s ? Texts(s[0]) : [],
            SubtractTargetWords = subtract is { } t ? Texts(t[1]) : [],
            Threshold = thresholds?[0].GetDouble() ?? 0.3,
            SubtractThreshold = thresholds?[1].GetDouble() ?? 0.3,
            Layers = MapSelection.PublishedSlices,
        };

    /// <summary>A share of the steps, a pair of shares, or a table of either with "default_" for all other words.</summary>
    internal static CrossReplaceSchedule Schedule(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return new CrossReplaceSchedule { Default = Window(json) };
        return new CrossReplaceSchedule
        {
            Default = json.TryGetProperty("default_", out JsonElement value) ? Window(value) : StepWindow.Always,
            Words = [.. json.EnumerateObject().Where(p => p.Name != "default_").Select(p => new WordWindow(p.Name, Window(p.Value)))],
            MissingWords = MissingWordRule.Skip,
        };
    }

    private static StepWindow Window(JsonElement json) =>
        json.ValueKind == JsonValueKind.Array ? new StepWindow(json[0].GetDouble(), json[1].GetDouble()) : StepWindow.Until(json.GetDouble());

    /// <summary>The stored maps <c>map.PLACE.K</c> at index K of the stage's list; maps that were not stored are zeros, and nothing reads them.</summary>
    private static StoredMap[] Maps(GoldenFile file, int height, int width)
    {
        List<StoredMap> maps = [];
        foreach ((string place, UNetStage stage) in new[] { ("down_cross", UNetStage.Down), ("mid_cross", UNetStage.Mid), ("up_cross", UNetStage.Up) })
        {
            string prefix = $"map.{place}.";
            int[] stored =
            [
                .. file
                    .Tensors.Where(t => t.StartsWith(prefix, StringComparison.Ordinal))
                    .Select(t => int.Parse(t[prefix.Length..], CultureInfo.InvariantCulture))
                    .Order(),
            ];
            if (stored.Length == 0)
                continue;
            for (int k = 0; k <= stored[^1]; k++)
            {
                bool isStored = stored.Contains(k);
                Tensor map = file.Read(prefix + (isStored ? k : stored[0]));
                // [prompts heads, pixels, tokens] to [prompts, heads, pixels, tokens]; a blend has two prompts.
                map = map.view(2, map.shape[0] / 2, map.shape[1], map.shape[2]);
                AttentionSite site = new($"{place}.{k}", stage, k, 0, AttentionKind.Cross, maps.Count, (int)map.shape[1]);
                maps.Add(new StoredMap(site, height, width, isStored ? map : zeros_like(map), 1));
            }
        }
        return [.. maps];
    }
}
