namespace NullTextResearch.Hosting;

/// <summary>What one element of a <see cref="SharedArray"/> is; always little-endian.</summary>
public enum SharedElement
{
    /// <summary>One byte: 0 or 1.</summary>
    Boolean,

    /// <summary>0 to 255.</summary>
    UInt8,

    /// <summary>-128 to 127.</summary>
    Int8,

    /// <summary>16 bits, signed.</summary>
    Int16,

    /// <summary>16 bits.</summary>
    UInt16,

    /// <summary>32 bits, signed.</summary>
    Int32,

    /// <summary>32 bits.</summary>
    UInt32,

    /// <summary>64 bits, signed.</summary>
    Int64,

    /// <summary>64 bits.</summary>
    UInt64,

    /// <summary>IEEE half precision.</summary>
    Float16,

    /// <summary>IEEE single precision.</summary>
    Float32,

    /// <summary>IEEE double precision.</summary>
    Float64,
}

/// <summary>Copies bytes of an array out of wherever they lie.</summary>
/// <param name="offset">First byte, counted from the array's first element in C order; a multiple of 8.</param>
/// <param name="destination">Filled completely.</param>
/// <exception cref="IOException">The bytes are there no more.</exception>
public delegate void SharedArrayReader(long offset, Span<byte> destination);

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

/// <summary>Knows a library's arrays: tensors, pictures. Called from any thread.</summary>
public interface ISharedArrayConverter
{
    /// <summary>Describes a value as an array.</summary>
    /// <param name="value">Any value.</param>
    /// <returns>The array, which the caller disposes; null for values it does not know.</returns>
    /// <exception cref="ArgumentException">
    /// It knows the value, but it cannot be an array: disposed, or of a type that no other language has. The message says what to do.
    /// </exception>
    SharedArray? ToShared(object value);

    /// <summary>Makes a value of an array.</summary>
    /// <param name="array">To be read before this returns.</param>
    /// <param name="wanted">Type that the receiver asks for, or null: what suits the array best.</param>
    /// <returns>The value, which is the receiver's; null where this converter has nothing for such an array.</returns>
    object? FromShared(SharedArray array, Type? wanted);
}

/// <summary>
/// Where libraries say how their arrays pass between the languages of a notebook. The kernel knows the arrays of .NET
/// itself; everything else is registered here, as <see cref="Notebook.ShowInstead"/> does it for what is shown.
/// </summary>
public static class SharedArrays
{
    private static readonly Lock Gate = new();
    private static ISharedArrayConverter[] _converters = [];

    /// <summary>Adds a converter; the first that knows a value is used.</summary>
    public static void Register(ISharedArrayConverter converter)
    {
        ArgumentNullException.ThrowIfNull(converter);
        lock (Gate)
            _converters = [.. _converters, converter];
    }

    /// <summary>For kernels: a value as an array, or null where it is none.</summary>
    /// <exception cref="ArgumentException">It is one that cannot be passed on.</exception>
    public static SharedArray? ToShared(object value) => Volatile.Read(ref _converters).Select(c => c.ToShared(value)).FirstOrDefault(a => a is not null);

    /// <summary>For kernels: a library's value of an array, or null where no library has one.</summary>
    public static object? FromShared(SharedArray array, Type? wanted) =>
        Volatile.Read(ref _converters).Select(c => c.FromShared(array, wanted)).FirstOrDefault(v => v is not null);
}
