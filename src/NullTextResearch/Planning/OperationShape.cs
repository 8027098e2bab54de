namespace NullTextResearch.Planning;

/// <summary>The shape of one operation that does most of a network's arithmetic. Two layers with equal shapes cost the same.</summary>
public sealed record OperationShape
{
    /// <summary>Kind of operation.</summary>
    public required WorkKind Kind { get; init; }

    /// <summary>Rows of the batch.</summary>
    public required long Rows { get; init; }

    /// <summary>Channels in; for attention all heads together.</summary>
    public required long From { get; init; }

    /// <summary>Channels out; for attention all heads together.</summary>
    public required long To { get; init; }

    /// <summary>Height of the input; for linear layers and attention 1.</summary>
    public long Height { get; init; } = 1;

    /// <summary>Width of the input; for linear layers and attention the number of positions (queries).</summary>
    public required long Width { get; init; }

    /// <summary>Side of a convolution's kernel.</summary>
    public int Kernel { get; init; } = 1;

    /// <summary>Stride of a convolution.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Padding of a convolution, on all sides.</summary>
    public int Padding { get; init; }

    /// <summary>Heads of an attention.</summary>
    public int Heads { get; init; } = 1;

    /// <summary>Number of keys that each query of an attention sees.</summary>
    public long Keys { get; init; }

    /// <summary>Height of the output.</summary>
    public long HeightOut => Kind == WorkKind.Convolution ? ((Height + (2L * Padding) - Kernel) / Stride) + 1 : Height;

    /// <summary>Width of the output.</summary>
    public long WidthOut => Kind == WorkKind.Convolution ? ((Width + (2L * Padding) - Kernel) / Stride) + 1 : Width;

    /// <summary>Number of output elements.</summary>
    public double Outputs => (double)Rows * To * HeightOut * WidthOut;

    /// <summary>Floating-point operations of the forward pass: two per multiply-add; bias and softmax are not counted.</summary>
    public double Flops => Kind is WorkKind.Convolution or WorkKind.Linear ? 2.0 * Outputs * From * Kernel * Kernel : 4.0 * Rows * Width * Keys * To;
}
