namespace NullTextResearch.Planning;

/// <summary>One operation in the course of a pass through a network.</summary>
/// <param name="Path">Module path, as in the state dict; for attention that of the attention layer.</param>
/// <param name="Shape">What it works on.</param>
/// <param name="IsDifferentiated">Whether a backward pass to the text embedding goes through it.</param>
public sealed record NetworkOperation(string Path, OperationShape Shape, bool IsDifferentiated)
{
    /// <summary>
    /// Floating-point operations backward to its inputs (weights are frozen): once the forward ones; attention twice, each product having two inputs.
    /// </summary>
    public double BackwardFlops =>
        !IsDifferentiated ? 0
        : Shape.Kind is WorkKind.SelfAttention or WorkKind.CrossAttention ? 2 * Shape.Flops
        : Shape.Flops;
}
