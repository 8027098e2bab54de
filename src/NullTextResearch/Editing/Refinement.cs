using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Adds or removes words: tokens that both prompts share take the source's maps, new ones keep their own.</summary>
public sealed record Refinement : PromptEdit
{
    /// <inheritdoc/>
    internal override MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device)
    {
        RefinementAlignment alignment = TokenAlignment.Refinement(source, target);
        using DisposeScope scope = NewDisposeScope();
        // The placeholder for a missing source token is multiplied by 0.
        Tensor sources = tensor(alignment.Sources.Select(s => (long)Math.Max(s, 0)).ToArray(), device: device);
        Tensor weights = tensor(alignment.Weights.ToArray()).to(dtype, device);
        return new RefineInjection(sources.Keep(), weights.Keep(), weights.OneMinus().Keep());
    }
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
