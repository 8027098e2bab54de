namespace NullTextResearch.Tensors;

/// <summary>A tensor does not have the expected shape.</summary>
public sealed class ShapeMismatchException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="name">Name of the tensor at the call site.</param>
    /// <param name="expected">The expected shape; -1 stands for any size.</param>
    /// <param name="actual">The actual shape.</param>
    public ShapeMismatchException(string name, IReadOnlyList<long> expected, IReadOnlyList<long> actual)
        : base($"{name}: expected shape {Shape.Text(expected)}, got {Shape.Text(actual)}.")
    {
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The expected shape; -1 stands for any size.</summary>
    public IReadOnlyList<long> Expected { get; }

    /// <summary>The actual shape.</summary>
    public IReadOnlyList<long> Actual { get; }
}
