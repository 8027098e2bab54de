using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Editing;

/// <summary>Swaps words one for one; both prompts have the same number of words.</summary>
public sealed record WordSwap : PromptEdit
{
    /// <summary>Rule for the tokens after the last changed word if words differ in their number of tokens.</summary>
    public TailRule Tail { get; init; } = TailRule.Corrected;

    /// <inheritdoc/>
    internal override MapInjection Resolve(TokenizedPrompt source, TokenizedPrompt target, ScalarType dtype, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor mapper = TokenAlignment.Replacement(source, target, Tail, dtype, device);
        return new SwapInjection(mapper.transpose(0, 1).contiguous().Keep());
    }
}

internal sealed class SwapInjection(Tensor mapperTransposed) : MapInjection
{
    public override Tensor Inject(Tensor source, Tensor own) => nn.functional.linear(source, mapperTransposed);

    public override void Dispose() => mapperTransposed.Dispose();
}
