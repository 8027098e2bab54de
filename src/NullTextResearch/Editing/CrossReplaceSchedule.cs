using NullTextResearch.Tensors;
using NullTextResearch.Text;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// The steps at which cross-attention maps of the source are injected into a target, per token (<c>cross_replace_steps</c> of the released code).
/// </summary>
public sealed record CrossReplaceSchedule
{
    /// <summary>Window of every token that has no window of its own. Released examples: until 0.8.</summary>
    public StepWindow Default { get; init; } = StepWindow.Until(0.8);

    /// <summary>Windows of single words; later entries win.</summary>
    public IReadOnlyList<WordWindow> Words { get; init; } = [];

    /// <summary>How to handle words that the target prompt lacks.</summary>
    public MissingWordRule MissingWords { get; init; } = MissingWordRule.Refuse;

    /// <summary>All tokens, from the first step to a share of the steps.</summary>
    public static CrossReplaceSchedule Until(double end) => new() { Default = StepWindow.Until(end) };

    /// <summary>The schedule as a table.</summary>
    /// <param name="steps">T.</param>
    /// <param name="targets">Target prompts, in which the words are looked up; all of one context length.</param>
    /// <param name="dtype">Floating-point type of the result.</param>
    /// <param name="device">Device of the result; null for the CPU.</param>
    /// <returns>
    /// [T + 1, targets, tokens], 1 where injected and 0 elsewhere; owned by the caller's dispose scope. As in the released code, a bound b falls at row int(b
    /// (T + 1)), so the last row is never read.
    /// </returns>
    /// <exception cref="WordNotInPromptException">A target lacks a word and <see cref="MissingWords"/> is <see cref="MissingWordRule.Refuse"/>.</exception>
    public Tensor Table(int steps, IReadOnlyList<TokenizedPrompt> targets, ScalarType dtype = ScalarType.Float32, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (targets.Count == 0)
            throw new ArgumentException("At least one target prompt is needed.", nameof(targets));
        int tokens = targets[0].ContextLength,
            rows = steps + 1;
        float[] table = new float[rows * targets.Count * tokens];
        for (int p = 0; p < targets.Count; p++)
        {
            Fill(Default, p, Enumerable.Range(0, tokens));
            foreach ((string word, StepWindow window) in Words)
            {
                if (MissingWords == MissingWordRule.Skip && !targets[p].HasWord(word))
                    continue;
                Fill(window, p, targets[p].PositionsOf(word));
            }
        }
        return Lifetime.Scoped(() => tensor(table, [rows, targets.Count, tokens]).to(dtype, device ?? CPU));

        void Fill(StepWindow window, int prompt, IEnumerable<int> positions)
        {
            (int first, int end) = window.Of(rows);
            foreach (int position in positions)
            {
                for (int row = 0; row < rows; row++)
                    table[(row * targets.Count + prompt) * tokens + position] = row >= first && row < end ? 1 : 0;
            }
        }
    }
}
