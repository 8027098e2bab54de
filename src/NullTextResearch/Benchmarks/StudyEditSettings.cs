using System.Globalization;
using NullTextResearch.Editing;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// What a study can set of prompt-to-prompt besides the options of the editor's own record, the same for every task; defaults are those of
/// <see cref="EditOptions"/>. A study's file names them in lower case with hyphens, such as <c>cross-replace</c>.
/// </summary>
public sealed record StudyEditSettings
{
    private static readonly StudyEditSettings Default = new();

    /// <summary>The protocol of PIE-Bench for prompt-to-prompt (PnPInversion's runner, Ju et al. 2024).</summary>
    public static StudyEditSettings Pie { get; } =
        new()
        {
            Kind = PromptEditKind.Refine,
            CrossReplace = 0.4,
            SelfReplace = 0.6,
            BlendLookup = BlendLookup.WordPerPrompt,
            BlendFactor = 2,
        };

    /// <summary>Kind of edit (default: the word counts decide).</summary>
    public PromptEditKind Kind { get; init; }

    /// <summary>Share of the steps with injected cross-attention maps, 0 to 1 (default 0.8).</summary>
    public double CrossReplace { get; init; } = 0.8;

    /// <summary>Share of the steps with injected self-attention, 0 to 1 (default 0.4).</summary>
    public double SelfReplace { get; init; } = 0.4;

    /// <summary>Attention above this share of its maximum belongs to the region of the blended words, 0 to 1 (default 0.3).</summary>
    public double BlendThreshold { get; init; } = 0.3;

    /// <summary>Share of the steps before blending starts, 0 to 1 (default 0.2).</summary>
    public double BlendStart { get; init; } = 0.2;

    /// <summary>In which prompts a task's blended words are looked up (default: each in both).</summary>
    public BlendLookup BlendLookup { get; init; }

    /// <summary>
    /// Factor of the blended words of the target prompt (default 1, no re-weighting); only of the pair's second word with
    /// <see cref="BlendLookup.WordPerPrompt"/>. A factor that a task gives a word goes before.
    /// </summary>
    public double BlendFactor { get; init; } = 1;

    /// <summary>Whether they are the defaults, which are no part of the keys of results.</summary>
    internal bool IsDefault => this == Default;

    /// <summary>The words that a task blends.</summary>
    internal IReadOnlyList<string> Words(EditTask task) =>
        BlendLookup == BlendLookup.WordPerPrompt && task.BlendPair.Count > 0 ? task.BlendPair : task.BlendWords;

    /// <summary>The edit of a task.</summary>
    internal EditOptions Of(EditTask task, EditorOptions editor)
    {
        IReadOnlyList<string> words = Words(task);
        Dictionary<string, double> weights = new(task.Weights);
        if (BlendFactor != 1)
        {
            // As spelled: the authors' code does not find other forms of a word either.
            string[] target = task.TargetPrompt.Split(' ');
            foreach (string word in words.Skip(BlendLookup == BlendLookup.WordPerPrompt ? 1 : 0).Where(target.Contains))
                weights.TryAdd(word, BlendFactor);
        }
        return new EditOptions
        {
            Editor = editor,
            Kind = Kind switch
            {
                PromptEditKind.Swap => new WordSwap(),
                PromptEditKind.Refine => new Refinement(),
                _ => null,
            },
            CrossReplace = CrossReplace,
            SelfReplace = SelfReplace,
            Blend = words,
            BlendThreshold = BlendThreshold,
            BlendStart = BlendStart,
            BlendLookup = BlendLookup,
            Weights = weights,
        };
    }

    /// <summary>These settings, if all are in range.</summary>
    /// <exception cref="ArgumentException">One is not; the message names it.</exception>
    internal StudyEditSettings Checked()
    {
        foreach (
            (string name, double share) in ((string, double)[])
                [("cross-replace", CrossReplace), ("self-replace", SelfReplace), ("blend-threshold", BlendThreshold), ("blend-start", BlendStart)]
        )
        {
            if (!(share is >= 0 and <= 1))
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{name} is {share}; it must lie between 0 and 1"));
        }
        return double.IsFinite(BlendFactor)
            ? this
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"blend-factor is {BlendFactor}; it must be a finite number"));
    }
}
