namespace NullTextResearch.Tensors;

/// <summary>A tensor does not have the shape that was asked for.</summary>
public sealed class ShapeMismatchException : ArgumentException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="name">What the tensor is called where it was passed.</param>
    /// <param name="expected">The shape asked for; -1 stands for any size.</param>
    /// <param name="actual">The shape that came.</param>
    public ShapeMismatchException(string name, IReadOnlyList<long> expected, IReadOnlyList<long> actual)
        : base($"{name}: expected shape {Shape.Text(expected)}, got {Shape.Text(actual)}.")
    {
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The shape asked for; -1 stands for any size.</summary>
    public IReadOnlyList<long> Expected { get; }

    /// <summary>The shape that came.</summary>
    public IReadOnlyList<long> Actual { get; }
}
