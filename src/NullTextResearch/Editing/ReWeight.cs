using System.Globalization;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>
/// Multiplies injected maps per target word, alone or after a swap or refinement. Maps are not re-normalised; the edit acts inside the cross-replace window.
/// </summary>
public sealed record ReWeight : PromptEdit
{
    /// <summary>The multipliers.</summary>
    public required IReadOnlyList<WordFactor> Factors { get; init; }

    /// <summary>The edit whose maps are multiplied: a <see cref="WordSwap"/> or <see cref="Refinement"/>; null multiplies the source's maps directly.</summary>
    public PromptEdit? After { get; init; }

    /// <summary>How to handle words that the target prompt lacks.</summary>
    public MissingWordRule MissingWords { get; init; } = MissingWordRule.Refuse;

    /// <summary>A re-weighting from two lists.</summary>
    /// <param name="words">Words of the target prompt.</param>
    /// <param name="factors">One factor for each.</param>
    /// <param name="after">The edit to re-weight, or null.</param>
    /// <exception cref="ArgumentException">The lists differ in length (the released code would silently truncate the longer one).</exception>
    public static ReWeight Of(IReadOnlyList<string> words, IReadOnlyList<double> factors, PromptEdit? after = null) =>
        words.Count == factors.Count
            ? new ReWeight { Factors = [.. words.Zip(factors, (w, f) => new WordFactor(w, f))], After = after }
            : throw new ArgumentException(
                $"Re-weighting needs one factor per word, got {words.Count} words ({string.Join(", ", words)}) and {factors.Count} factors "
                    + $"({string.Join(", ", factors.Select(f => f.ToString(CultureInfo.InvariantCulture)))}).",
                nameof(factors)
            );

    /// <summary>The multiplier of every token.</summary>
    /// <param name="target">Target prompt.</param>
    /// <returns>One number per token, 1 for tokens without a factor.</returns>
    /// <exception cref="WordNotInPromptException">The prompt lacks a word and <see cref="MissingWords"/> is <see cref="MissingWordRule.Refuse"/>.</exception>
    /// <exception cref="ArgumentException">A factor is not a finite number.</exception>
    public IReadOnlyList<double> Equalizer(TokenizedPrompt target)
    {
        double[] equalizer = new double[target.ContextLength];
        Array.Fill(equalizer, 1);
        foreach ((string word, double factor) in Factors)
        {
            if (!double.IsFinite(factor))
                throw new ArgumentException(FormattableString.Invariant($"The factor of '{word}' is {factor}; it must be a finite number."));
            if (MissingWords == MissingWordRule.Skip && !target.HasWord(word))
                continue;
            foreach (int position in target.PositionsOf(word))
                equalizer[position] = factor;
        }
        return equalizer;
    }

    /// <inheritdoc/>
    internal override MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device)
    {
        double[] factors = [.. Equalizer(target)];
        using DisposeScope scope = NewDisposeScope();
        Tensor equalizer = tensor(factors).to(dtype, device);
        return new ReWeightInjection(equalizer.Keep(), After?.Resolve(source, target, dtype, device));
    }
}

internal sealed class ReWeightInjection(Tensor equalizer, MapInjection? after) : MapInjection
{
    public override Tensor Inject(Tensor source, Tensor own) => (after?.Inject(source, own) ?? source).mul(equalizer);

    public override void Dispose()
    {
        equalizer.Dispose();
        after?.Dispose();
    }
}
