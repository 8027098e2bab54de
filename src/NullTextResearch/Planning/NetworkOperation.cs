namespace NullTextResearch.Planning;

/// <summary>One operation of a pass through a network.</summary>
/// <param name="Path">Module path, as in the state dict; for attention, that of the attention layer.</param>
/// <param name="Shape">Shape of the operation.</param>
/// <param name="IsDifferentiated">Whether a backward pass to the text embedding goes through it.</param>
public sealed record NetworkOperation(string Path, OperationShape Shape, bool IsDifferentiated)
{
    /// <summary>
    /// Floating-point operations of the backward pass to its inputs (weights are frozen): as many as forward; twice as many for attention, because
    /// each of its products has two inputs.
    /// </summary>
    public double BackwardFlops =>
        !IsDifferentiated ? 0
        : Shape.Kind is WorkKind.SelfAttention or WorkKind.CrossAttention ? 2 * Shape.Flops
        : Shape.Flops;
}
