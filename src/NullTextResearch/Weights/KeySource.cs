namespace NullTextResearch.Weights;

/// <summary>Where a checkpoint stores the numbers of one weight.</summary>
/// <param name="Name">Key in the checkpoint.</param>
public sealed record KeySource(string Name)
{
    /// <summary>Which of <see cref="Parts"/> equal parts of the first axis; 0 if the tensor is not shared.</summary>
    public int Part { get; init; }

    /// <summary>How many weights share the tensor, stacked along its first axis (3 for a fused query-key-value projection).</summary>
    public int Parts { get; init; } = 1;

    /// <summary>Whether trailing axes of length 1 are ignored: a 1x1 convolution holds the numbers of a linear layer, in the same order.</summary>
    public bool IgnoreUnitAxes { get; init; }
}
