using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.UNet;

/// <summary>Inputs of a segment. All tensors are borrowed.</summary>
/// <param name="X">Feature map from the segment before.</param>
/// <param name="Skip">Skip connection, if the segment takes one.</param>
/// <param name="NextSkip">Shape of the skip connection after that one, if there is one: the size that an upsampling must match.</param>
/// <param name="Time">silu of the time embedding.</param>
/// <param name="Pass">Text, attention, step.</param>
internal readonly record struct SegmentInput(Tensor X, Tensor? Skip, long[]? NextSkip, Tensor Time, UNetPass Pass);

/// <summary>A section of the U-Net between two feature maps: the unit that runs again when gradients are computed with checkpoints.</summary>
/// <param name="TakesSkip">It takes the last skip connection that has not been taken yet.</param>
/// <param name="LeavesSkip">Its output is also a skip connection.</param>
/// <param name="SeesText">It has a cross-attention layer.</param>
/// <param name="Run">Input to feature map, in the caller's dispose scope.</param>
internal sealed record UNetSegment(bool TakesSkip, bool LeavesSkip, bool SeesText, Func<SegmentInput, Tensor> Run);

/// <summary>
/// A forward pass that can be differentiated repeatedly: it keeps the feature maps between segments, not those within them. Tensors belong to the
/// dispose scope that was current when it was made.
/// </summary>
internal sealed class SegmentTape
{
    private readonly WeightSet _weights;
    private readonly IReadOnlyList<UNetSegment> _segments;
    private readonly SegmentInput[] _inputs;

    public SegmentTape(WeightSet weights, IReadOnlyList<UNetSegment> segments, SegmentInput[] inputs, Tensor prediction)
    {
        (_weights, _segments, _inputs, Prediction) = (weights, segments, inputs, prediction);
    }

    /// <summary>The output of the network; carries no gradient.</summary>
    public Tensor Prediction { get; }

    /// <summary>
    /// The gradient with respect to the text embedding, given that with respect to the prediction. From the last segment to the first, each is run
    /// again and differentiated.
    /// </summary>
    /// <param name="gradient">Shape and type of the prediction; borrowed.</param>
    /// <returns>[B, tokens, d], summed in float32 if the network has 16 bits; owned by the caller's dispose scope.</returns>
    public Tensor PullBack(Tensor gradient)
    {
        Shape.RequireSame(gradient, Prediction);
        using UseGate.Lease use = _weights.Use();
        using TorchSharp.DisposeScope outer = NewDisposeScope();
        int first = _segments.ToList().FindIndex(s => s.SeesText);
        if (first < 0)
            throw new InvalidOperationException("The U-Net has no cross-attention layer, so its prediction does not depend on the embedding.");
        // Skip connections are taken in reverse order, so on the way back their gradients form a stack too.
        Stack<Tensor?> skips = new();
        bool[] depends = DependsOnText(first);
        Tensor? sum = null;
        Tensor carried = gradient.alias();
        for (int i = _segments.Count - 1; i >= first; i--)
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            UNetSegment segment = _segments[i];
            Tensor upstream = segment.LeavesSkip && skips.Pop() is { } fromSkip ? carried.Plus(fromSkip) : carried;
            (Tensor? text, Tensor? x, Tensor? skip) = Differentiate(segment, _inputs[i], upstream, i > first, segment.TakesSkip && depends[i]);
            if (segment.TakesSkip)
                skips.Push(skip?.MoveToOuterDisposeScope());
            if (text is not null)
            {
                if (sum is null)
                    sum = text.to(Precision.Wide(text.dtype)).MoveToOuterDisposeScope();
                else
                    sum.PlusInPlace(text);
            }
            if (x is null)
                break;
            carried.Dispose();
            carried = x.MoveToOuterDisposeScope();
        }
        return sum!.MoveToOuterDisposeScope();
    }

    /// <summary>For each segment that takes a skip connection, whether that connection depends on the text.</summary>
    private bool[] DependsOnText(int first)
    {
        bool[] depends = new bool[_segments.Count];
        Stack<bool> skips = new();
        for (int i = 0; i < depends.Length; i++)
        {
            if (_segments[i].TakesSkip)
                depends[i] = skips.Pop();
            if (_segments[i].LeavesSkip)
                skips.Push(i >= first);
        }
        return depends;
    }

    private static (Tensor? Text, Tensor? X, Tensor? Skip) Differentiate(
        UNetSegment segment,
        SegmentInput input,
        Tensor upstream,
        bool throughX,
        bool throughSkip
    )
    {
        using IDisposable grad = enable_grad();
        Tensor x = input.X.detach().requires_grad_(throughX);
        Tensor? skip = input.Skip?.detach().requires_grad_(throughSkip);
        Tensor text = input.Pass.Text.detach().requires_grad_(segment.SeesText);
        Tensor output = segment.Run(input with { X = x, Skip = skip, Pass = input.Pass with { Text = text } });
        Shape.RequireSame(upstream, output);
        List<Tensor> leaves = [];
        if (segment.SeesText)
            leaves.Add(text);
        if (throughX)
            leaves.Add(x);
        if (throughSkip)
            leaves.Add(skip!);
        IList<Tensor> gradients = autograd.grad([output], leaves, [upstream], allow_unused: true);
        int at = 0;
        return (Next(segment.SeesText), Next(throughX), Next(throughSkip));

        // autograd.grad aborts the process if an input is unused and that is not allowed; here every input is used.
        Tensor? Next(bool wanted) =>
            !wanted ? null : gradients[at++] ?? throw new InvalidOperationException("A segment of the U-Net does not depend on its input.");
    }
}
