using System.Globalization;
using System.Text.Json.Serialization;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>How the source's cross-attention maps become the target's: a word swap, a refinement, or a re-weighting on top of either.</summary>
/// <remarks>Hertz et al. 2022, prompt-to-prompt image editing with cross-attention control, section 3.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(WordSwap), "swap")]
[JsonDerivedType(typeof(Refinement), "refine")]
[JsonDerivedType(typeof(ReWeight), "reweight")]
public abstract record PromptEdit
{
    private protected PromptEdit() { }

    /// <summary>The edit that suits a pair of prompts: a word swap where they have equally many words, a refinement otherwise.</summary>
    public static PromptEdit Between(TokenizedPrompt source, TokenizedPrompt target) =>
        source.Words.Count == target.Words.Count ? new WordSwap() : new Refinement();

    /// <summary>Works out the edit for a pair of prompts.</summary>
    internal abstract MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device);
}

/// <summary>Words are exchanged one for one; both prompts have equally many.</summary>
public sealed record WordSwap : PromptEdit
{
    /// <summary>What happens behind the last changed word if words differ in their number of tokens.</summary>
    public TailRule Tail { get; init; } = TailRule.Corrected;

    /// <inheritdoc/>
    internal override MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(source, target, Tail, dtype, device);
        return new SwapInjection(mapper.transpose(0, 1).contiguous().Keep());
    }
}

/// <summary>Words are added (or removed); tokens that both prompts share keep the source's maps, new ones their own.</summary>
public sealed record Refinement : PromptEdit
{
    /// <inheritdoc/>
    internal override MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device)
    {
        RefinementAlignment alignment = TokenAlignment.Refinement(source, target);
        using DisposeScope scope = NewDisposeScope();
        // What stands in for a missing source token is multiplied by 0.
        Tensor sources = tensor(alignment.Sources.Select(s => (long)Math.Max(s, 0)).ToArray(), device: device);
        Tensor weights = tensor(alignment.Weights.ToArray()).to(dtype, device);
        return new RefineInjection(sources.Keep(), weights.Keep(), weights.OneMinus().Keep());
    }
}

/// <summary>A multiplier for the attention that one word gets.</summary>
/// <param name="Word">The word, as the target prompt spells it.</param>
/// <param name="Factor">1 changes nothing, more strengthens the word, less weakens it, negative turns against it.</param>
public sealed record WordFactor(string Word, double Factor);

/// <summary>
/// Injected maps are multiplied per target word, after a swap or refinement or alone. Not re-normalised; acts inside the cross-replace window.
/// </summary>
public sealed record ReWeight : PromptEdit
{
    /// <summary>The multipliers.</summary>
    public required IReadOnlyList<WordFactor> Factors { get; init; }

    /// <summary>
    /// The edit whose maps are multiplied: a <see cref="WordSwap"/> or <see cref="Refinement"/>; null multiplies the source's maps themselves.
    /// </summary>
    public PromptEdit? After { get; init; }

    /// <summary>What to do about words that the target prompt lacks.</summary>
    public MissingWordRule MissingWords { get; init; } = MissingWordRule.Refuse;

    /// <summary>A re-weighting from two lists.</summary>
    /// <param name="words">Words of the target prompt.</param>
    /// <param name="factors">One factor for each.</param>
    /// <param name="after">The edit to re-weight, or null.</param>
    /// <exception cref="ArgumentException">The lists differ in length (the released code would cut the longer one without a word).</exception>
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
    /// <returns>One number per token, 1 where no word asks for another.</returns>
    /// <exception cref="WordNotInPromptException">The prompt lacks a word, and <see cref="MissingWords"/> refuses that.</exception>
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

/// <summary>A <see cref="PromptEdit"/> worked out for two prompts: tensors in place of words.</summary>
internal abstract class MapInjection : IDisposable
{
    /// <summary>The map to inject.</summary>
    /// <param name="source">The source's map [heads, pixels, tokens]; borrowed.</param>
    /// <param name="own">The target's own map, same shape; borrowed.</param>
    /// <returns>Same shape; a new tensor in the current dispose scope, or the source itself.</returns>
    public abstract Tensor Inject(Tensor source, Tensor own);

    /// <inheritdoc/>
    public abstract void Dispose();
}

internal sealed class SwapInjection(Tensor mapperTransposed) : MapInjection
{
    public override Tensor Inject(Tensor source, Tensor own) => nn.functional.linear(source, mapperTransposed);

    public override void Dispose() => mapperTransposed.Dispose();
}

internal sealed class RefineInjection(Tensor sources, Tensor weights, Tensor ownWeights) : MapInjection
{
    public override Tensor Inject(Tensor source, Tensor own) => source.index_select(-1, sources).mul(weights).Plus(own.mul(ownWeights));

    public override void Dispose()
    {
        sources.Dispose();
        weights.Dispose();
        ownWeights.Dispose();
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
