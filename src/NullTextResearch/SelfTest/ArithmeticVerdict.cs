namespace NullTextResearch.SelfTest;

/// <summary>The outcome of the test of one operation.</summary>
public enum ArithmeticVerdict
{
    /// <summary>The machine computes it correctly.</summary>
    Right,

    /// <summary>libtorch's own operation is wrong here; this library's replacement is correct.</summary>
    WorkedAround,

    /// <summary>The operation that this library uses is wrong.</summary>
    Wrong,
}
