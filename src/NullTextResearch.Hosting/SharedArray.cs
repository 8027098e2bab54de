namespace NullTextResearch.Hosting;

/// <summary>
/// An array passed from one language of a notebook to another: its type and shape, and a reader for its bytes, independent of
/// the library it came from. Bytes are read in pieces, so an array of any size needs no intermediate copy.
/// </summary>
public sealed class SharedArray : IDisposable
{
    private readonly SharedArrayReader _read;
    private readonly IDisposable? _owner;

    /// <summary>Describes an array.</summary>
    /// <param name="element">Element type.</param>
    /// <param name="shape">Lengths of the axes, outermost first; empty for a scalar.</param>
    /// <param name="read">Copies the bytes: C order, no padding, little-endian.</param>
    /// <param name="owner">Object that keeps the bytes alive, disposed with this one; or null.</param>
    /// <exception cref="ArgumentException">A length is negative, or the array has more bytes than a file can hold.</exception>
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

    /// <summary>Element type.</summary>
    public SharedElement Element { get; }

    /// <summary>Lengths of the axes, outermost first; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Size of all elements in bytes.</summary>
    public long ByteCount { get; }

    /// <summary>Note for the user on how the array is passed on, such as a change of its element type; null for none.</summary>
    public string? Note { get; init; }

    /// <summary>Size of one element in bytes.</summary>
    public static int ElementSize(SharedElement element) =>
        element switch
        {
            SharedElement.Boolean or SharedElement.UInt8 or SharedElement.Int8 => 1,
            SharedElement.Int16 or SharedElement.UInt16 or SharedElement.Float16 => 2,
            SharedElement.Int32 or SharedElement.UInt32 or SharedElement.Float32 => 4,
            SharedElement.Int64 or SharedElement.UInt64 or SharedElement.Float64 => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(element), element, "not an element type of an array"),
        };

    /// <summary>Copies bytes.</summary>
    /// <param name="offset">First byte; a multiple of 8.</param>
    /// <param name="destination">Filled completely.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is outside the array, or the offset is not a multiple of 8.</exception>
    /// <exception cref="IOException">The bytes no longer exist.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        if (offset < 0 || offset % 8 != 0 || offset > ByteCount - destination.Length)
            throw new ArgumentOutOfRangeException(
                nameof(offset),
                offset,
                FormattableString.Invariant($"expected a multiple of 8, at least {destination.Length} bytes before the end of {ByteCount} bytes")
            );
        if (!destination.IsEmpty)
            _read(offset, destination);
    }

    /// <summary>Releases the object that keeps the bytes alive.</summary>
    public void Dispose() => _owner?.Dispose();
}
