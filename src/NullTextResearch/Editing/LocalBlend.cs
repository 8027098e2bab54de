using NullTextResearch.Attention;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Keeps an edit local: outside a mask made from the attention to chosen words, the target's latents equal the source's.</summary>
/// <remarks>
/// Hertz et al. 2022, section 3.3, as in the code released with null-text inversion: maps accumulated since the first step,
/// 3 x 3 maximum, nearest neighbour to the latents' size, divided by the maximum, threshold, joined with the source's mask.
/// </remarks>
public sealed record LocalBlend
{
    /// <summary>Words of the source prompt whose region may change.</summary>
    public required IReadOnlyList<string> SourceWords { get; init; }

    /// <summary>Words of the target prompt whose region may change.</summary>
    public required IReadOnlyList<string> TargetWords { get; init; }

    /// <summary>Words of the source prompt whose region must not change.</summary>
    public IReadOnlyList<string> SubtractSourceWords { get; init; } = [];

    /// <summary>Words of the target prompt whose region must not change.</summary>
    public IReadOnlyList<string> SubtractTargetWords { get; init; } = [];

    /// <summary>Pooled attention above this share of its maximum belongs to the mask, 0 to 1.</summary>
    public double Threshold { get; init; } = 0.3;

    /// <summary>The same for the words to subtract, whose attention is not pooled.</summary>
    public double SubtractThreshold { get; init; } = 0.3;

    /// <summary>Share of the steps before blending starts, 0 to 1.</summary>
    public double StartFraction { get; init; } = 0.2;

    /// <summary>
    /// How to handle words that their prompt lacks. Skipped ones have no part in the mask; without any word it is empty, and the target stays at the source
    /// once blending has started, as in the released code.
    /// </summary>
    public MissingWordRule MissingWords { get; init; } = MissingWordRule.Refuse;

    /// <summary>Layers whose maps make up the mask.</summary>
    public MapSelection Layers { get; init; } = MapSelection.Default;

    /// <summary>
    /// A blend around words, each looked up in both prompts. If the prompts have equal word counts, a changed word also selects its counterpart.
    /// </summary>
    /// <param name="source">Source prompt.</param>
    /// <param name="target">Target prompt.</param>
    /// <param name="words">At least one word of either prompt.</param>
    /// <returns>A blend with default thresholds; change them using <c>with</c>.</returns>
    /// <exception cref="WordNotInPromptException">A word is in neither prompt.</exception>
    public static LocalBlend Around(TokenizedPrompt source, TokenizedPrompt target, IReadOnlyList<string> words)
    {
        if (words.Count == 0)
            throw new ArgumentException("A local blend needs at least one word of the prompts.", nameof(words));
        List<string> ofSource = [],
            ofTarget = [];
        foreach (string word in words)
        {
            IReadOnlyList<int> inSource = source.IndicesOf(word),
                inTarget = target.IndicesOf(word);
            if (inSource.Count + inTarget.Count == 0)
                throw new WordNotInPromptException(word, [.. source.Names.Union(target.Names)], cutOff: false);
            ofSource.AddRange(inSource.Select(i => source.Words[i]));
            ofTarget.AddRange(inTarget.Select(i => target.Words[i]));
            if (source.Words.Count != target.Words.Count)
                continue;
            ofTarget.AddRange(inSource.Where(i => target.PositionsOfWordAt(i).Count > 0).Select(i => target.Words[i]));
            ofSource.AddRange(inTarget.Where(i => source.PositionsOfWordAt(i).Count > 0).Select(i => source.Words[i]));
        }
        return new LocalBlend { SourceWords = [.. ofSource.Distinct()], TargetWords = [.. ofTarget.Distinct()] };
    }

    /// <summary>A blend around one word of each prompt, looked up exactly as spelled; a prompt that lacks its word has no part in the mask.</summary>
    /// <remarks>As PnPInversion's runner (Ju et al. 2024) looks up the blended words of PIE-Bench.</remarks>
    /// <param name="source">Source prompt.</param>
    /// <param name="target">Target prompt.</param>
    /// <param name="words">Two words: of the source prompt, and of the target.</param>
    /// <returns>A blend with default thresholds; change them using <c>with</c>.</returns>
    /// <exception cref="ArgumentException">There are not two words.</exception>
    public static LocalBlend OfPair(TokenizedPrompt source, TokenizedPrompt target, IReadOnlyList<string> words) =>
        words.Count == 2
            ? new LocalBlend
            {
                SourceWords = [.. words.Take(1).Intersect(source.Words)],
                TargetWords = [.. words.Skip(1).Intersect(target.Words)],
                MissingWords = MissingWordRule.Skip,
            }
            : throw new ArgumentException(
                $"a blend with one word per prompt needs two words, of the source prompt and of the target; got {words.Count}: {string.Join(", ", words)}",
                nameof(words)
            );

    /// <summary>
    /// Parses a comma-separated list of words. A word may itself contain commas: the longest run that is a word of either prompt counts as one word.
    /// </summary>
    /// <param name="source">Source prompt.</param>
    /// <param name="target">Target prompt.</param>
    /// <param name="list">Such as <c>cat,hat</c>.</param>
    /// <returns>The words, including those in neither prompt, which <see cref="Around"/> rejects by name.</returns>
    public static IReadOnlyList<string> Words(TokenizedPrompt source, TokenizedPrompt target, string list)
    {
        string[] parts = list.Split(',');
        List<string> words = [];
        for (int first = 0, count; first < parts.Length; first += count)
        {
            count = Enumerable
                .Range(1, parts.Length - first)
                .LastOrDefault(n => Run(n) is { Length: > 0 } run && (source.HasWord(run) || target.HasWord(run)), 1);
            if (Run(count) is { Length: > 0 } word)
                words.Add(word);

            string Run(int n) => string.Join(',', parts, first, n).Trim();
        }
        return words;
    }

    /// <summary>First step (0-based) after which latents are blended: int(<see cref="StartFraction"/> T).</summary>
    public int FirstStep(int steps) => (int)(StartFraction * steps);

    /// <summary>Builds the mask.</summary>
    /// <param name="maps">Stored maps of the run.</param>
    /// <param name="source">Source prompt.</param>
    /// <param name="sourceRow">Its row in the maps.</param>
    /// <param name="target">Target prompt.</param>
    /// <param name="targetRow">Its row in the maps.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <returns>The masks, owned by the caller.</returns>
    /// <exception cref="WordNotInPromptException">A prompt lacks a word.</exception>
    public BlendMask Mask(IReadOnlyList<StoredMap> maps, TokenizedPrompt source, int sourceRow, TokenizedPrompt target, int targetRow, long height, long width)
    {
        IReadOnlyList<StoredMap> chosen = Layers.From(maps);
        using IDisposable grad = no_grad();
        using DisposeScope scope = NewDisposeScope();
        int h = chosen[0].Height,
            w = chosen[0].Width;
        Tensor words = Thresholded(SourceWords, TargetWords, pool: true, Threshold);
        Tensor mask = words;
        Tensor? subtract = null;
        if (SubtractSourceWords.Count + SubtractTargetWords.Count > 0)
        {
            subtract = Thresholded(SubtractSourceWords, SubtractTargetWords, pool: false, SubtractThreshold);
            mask = words.logical_and(subtract.logical_not());
        }
        return new BlendMask(words.Snapshot(), subtract?.Snapshot(), mask.Snapshot());

        Tensor Thresholded(IReadOnlyList<string> sourceWords, IReadOnlyList<string> targetWords, bool pool, double threshold)
        {
            Tensor attention = stack([Attention(source, sourceRow, sourceWords), Attention(target, targetRow, targetWords)], 0).view(2, 1, h, w);
            if (pool)
                attention = nn.functional.max_pool2d(attention, [3L, 3], [1L, 1], [1L, 1]);
            attention = nn.functional.interpolate(attention, [height, width], mode: InterpolationMode.Nearest);
            // Without words this is 0 / 0, which is above no threshold: an empty mask.
            Tensor above = attention.div(attention.amax([2L, 3], keepdim: true)).Above(threshold);
            return above.logical_or(above.narrow(0, 0, 1));
        }

        // Sum over the words' tokens, mean over layers and heads: [h w].
        Tensor Attention(TokenizedPrompt prompt, int row, IReadOnlyList<string> words)
        {
            IEnumerable<string> known = MissingWords == MissingWordRule.Skip ? words.Where(prompt.HasWord) : words;
            long[] positions = [.. known.SelectMany(prompt.PositionsOf).Distinct().Select(p => (long)p)];
            Tensor index = tensor(positions, device: chosen[0].Sum.device);
            return cat([.. chosen.Select(m => m.Sum.select(0, row).index_select(2, index).sum(-1))], 0).mean([0L]);
        }
    }

    /// <summary>Target latents inside the mask, source latents outside.</summary>
    /// <param name="source">Source latents [1, 4, H, W]; borrowed.</param>
    /// <param name="target">Target latents, same shape; borrowed.</param>
    /// <param name="mask">Boolean, [1, 1, H, W]; borrowed.</param>
    /// <returns>Latents of the same shape; owned by the caller's dispose scope. Outside the mask they equal the source's exactly.</returns>
    public static Tensor Apply(Tensor source, Tensor target, Tensor mask)
    {
        Shape.RequireSame(target, source);
        return where(mask, target, source);
    }

    /// <summary>Rejects invalid options and reports all problems at once.</summary>
    /// <exception cref="ArgumentException">An option is out of range, or a prompt lacks a word.</exception>
    internal void Validate(TokenizedPrompt source, TokenizedPrompt target)
    {
        List<string> problems = [];
        if (SourceWords.Count + TargetWords.Count == 0 && MissingWords == MissingWordRule.Refuse)
            problems.Add("no words to blend");
        foreach (
            (string name, double value) in new[] { ("threshold", Threshold), ("subtract threshold", SubtractThreshold), ("start fraction", StartFraction) }
        )
        {
            if (!(value is >= 0 and <= 1))
                problems.Add(FormattableString.Invariant($"{name} {value} is not between 0 and 1"));
        }
        if (problems.Count > 0)
            throw new ArgumentException($"Local blend: {string.Join("; ", problems)}.");
        if (MissingWords == MissingWordRule.Skip)
            return;
        foreach (string word in SourceWords.Concat(SubtractSourceWords))
            source.PositionsOf(word);
        foreach (string word in TargetWords.Concat(SubtractTargetWords))
            target.PositionsOf(word);
    }
}
