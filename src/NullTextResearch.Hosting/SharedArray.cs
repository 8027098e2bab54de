namespace NullTextResearch.Hosting;

/// <summary>
/// An array on its way from one language of a notebook to another: what it is, and a way to its bytes. Nobody needs to know
/// whose array it was. Its bytes are read in pieces, so that an array of any size needs no second copy in between.
/// </summary>
public sealed class SharedArray : IDisposable
{
    private readonly SharedArrayReader _read;
    private readonly IDisposable? _owner;

    /// <summary>Describes an array.</summary>
    /// <param name="element">What its elements are.</param>
    /// <param name="shape">Lengths of its axes, outermost first; none for a single number.</param>
    /// <param name="read">Copies its bytes: C order, no padding, little-endian.</param>
    /// <param name="owner">Disposed with this object: what keeps the bytes alive. Or null.</param>
    /// <exception cref="ArgumentException">A length is negative, or there are more bytes than a file can have.</exception>
    public SharedArray(SharedElement element, IReadOnlyList<long> shape, SharedArrayReader read, IDisposable? owner = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(read);
        long count = ElementSize(element);
        foreach (long length in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(length, nameof(shape));
            count = checked(count * length);
        }

        Element = element;
        Shape = [.. shape];
        ByteCount = count;
        _read = read;
        _owner = owner;
    }

    /// <summary>What its elements are.</summary>
    public SharedElement Element { get; }

    /// <summary>Lengths of its axes, outermost first; empty for a single number.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Bytes of all elements.</summary>
    public long ByteCount { get; }

    /// <summary>What the user should know of how it is passed on, such as a change of its element type; null for nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Bytes of one element.</summary>
    public static int ElementSize(SharedElement element) =>
        element switch
        {
            SharedElement.Boolean or SharedElement.UInt8 or SharedElement.Int8 => 1,
            SharedElement.Int16 or SharedElement.UInt16 or SharedElement.Float16 => 2,
            SharedElement.Int32 or SharedElement.UInt32 or SharedElement.Float32 => 4,
            SharedElement.Int64 or SharedElement.UInt64 or SharedElement.Float64 => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(element), element, "no element of an array"),
        };

    /// <summary>Copies bytes.</summary>
    /// <param name="offset">First byte; a multiple of 8.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="ArgumentOutOfRangeException">The array has no such bytes.</exception>
    /// <exception cref="IOException">The bytes are there no more.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset % 8 != 0 || offset > ByteCount - destination.Length)
            throw new ArgumentOutOfRangeException(
                nameof(offset),
                offset,
                FormattableString.Invariant($"expected a multiple of 8, {destination.Length} bytes before the end of {ByteCount}")
            );
        if (!destination.IsEmpty)
            _read(offset, destination);
    }

    /// <summary>Lets go of what keeps the bytes alive.</summary>
    public void Dispose() => _owner?.Dispose();
}
