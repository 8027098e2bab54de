using NullTextResearch.Editing;
using NullTextResearch.Text;

namespace NullTextResearch;

/// <summary>How an inverted image is edited. Defaults: prompt-to-prompt, with the numbers of the released examples.</summary>
public sealed record EditOptions
{
    /// <summary>
    /// The editor; null (default) for prompt-to-prompt. <see cref="Kind"/>, <see cref="Weights"/>, <see cref="Blend"/>, <see cref="BlendThreshold"/>,
    /// <see cref="BlendStart"/>, <see cref="BlendLookup"/>, <see cref="CrossReplace"/>, <see cref="SelfReplace"/> and <see cref="KeepMaps"/> apply only to
    /// prompt-to-prompt; other editors ignore them, save that they refuse weights.
    /// </summary>
    public EditorOptions? Editor { get; init; }

    /// <summary>Kind of edit; null (default) swaps words if both prompts have the same number, and refines otherwise.</summary>
    public PromptEdit? Kind { get; init; }

    /// <summary>Factors of words of the target prompt: 1 changes nothing, a larger value strengthens, a smaller one weakens, a negative one inverts.</summary>
    public IReadOnlyDictionary<string, double> Weights { get; init; } = new Dictionary<string, double>();

    /// <summary>Words (of either prompt) that the edit is confined to; empty (default) lets the whole picture change.</summary>
    public IReadOnlyList<string> Blend { get; init; } = [];

    /// <summary>Attention above this share of its maximum belongs to the region of those words, 0 to 1 (default 0.3).</summary>
    public double BlendThreshold { get; init; } = 0.3;

    /// <summary>Share of the steps before blending starts, 0 to 1 (default 0.2).</summary>
    public double BlendStart { get; init; } = 0.2;

    /// <summary>In which prompts the words of <see cref="Blend"/> are looked up (default: each in both).</summary>
    public BlendLookup BlendLookup { get; init; } = BlendLookup.EitherPrompt;

    /// <summary>Share of the steps with injected cross-attention maps, 0 to 1 (default 0.8).</summary>
    public double CrossReplace { get; init; } = 0.8;

    /// <summary>Share of the steps with injected self-attention, 0 to 1 (default 0.4).</summary>
    public double SelfReplace { get; init; } = 0.4;

    /// <summary>w; null (default) uses the inversion's.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary>Return the attention maps with the result (default: false; they take memory, see <see cref="EditResult.Maps"/>).</summary>
    public bool KeepMaps { get; init; }

    internal EditorOptions EditorOptions => Editor ?? new PromptToPromptOptions { KeepMaps = KeepMaps };

    /// <summary>The edit that these options define for two prompts. All words are checked here, before a network runs.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="source">Prompt of the image.</param>
    /// <param name="target">Prompt of the edited image; the same to re-weight words only.</param>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    /// <exception cref="WordNotInPromptException">A word of the options is in neither prompt, or a weighted one is not in the target.</exception>
    /// <exception cref="WordCountMismatchException">A word swap was requested, but the prompts differ in their number of words.</exception>
    public EditTarget Target(ITextTokenizer tokenizer, string source, string target)
    {
        TokenizedPrompt from = tokenizer.Tokenize(source).EnsureFits(),
            to = tokenizer.Tokenize(target).EnsureFits();
        PromptEdit kind = Kind ?? PromptEdit.Between(from, to);
        if (kind is WordSwap && from.Words.Count != to.Words.Count)
            throw new WordCountMismatchException(from, to);
        if (Weights.Count > 0)
        {
            ReWeight weighted = ReWeight.Of([.. Weights.Keys], [.. Weights.Values], target == source ? null : kind);
            // Rejects words that the prompt lacks, and lists those it has.
            _ = weighted.Equalizer(to);
            kind = weighted;
        }

        return new EditTarget
        {
            Prompt = to,
            Edit = kind,
            CrossReplace = CrossReplaceSchedule.Until(CrossReplace),
            SelfReplace = StepWindow.Until(SelfReplace),
            Blend =
                Blend.Count == 0
                    ? null
                    : (BlendLookup == BlendLookup.WordPerPrompt ? LocalBlend.OfPair(from, to, Blend) : LocalBlend.Around(from, to, Blend)) with
                    {
                        Threshold = BlendThreshold,
                        StartFraction = BlendStart,
                    },
        };
    }
}
