using System.Text.Json.Serialization;
using NullTextResearch.Text;
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

    /// <summary>The edit that suits a pair of prompts: a word swap if they have equal word counts, a refinement otherwise.</summary>
    public static PromptEdit Between(TokenizedPrompt source, TokenizedPrompt target) =>
        source.Words.Count == target.Words.Count ? new WordSwap() : new Refinement();

    /// <summary>Resolves the edit for a pair of prompts.</summary>
    internal abstract MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device);
}

/// <summary>A <see cref="PromptEdit"/> resolved for two prompts: tensors instead of words.</summary>
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
