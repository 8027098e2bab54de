namespace NullTextResearch.Hosting;

/// <summary>Copies bytes of an array from wherever they are stored.</summary>
/// <param name="offset">First byte, counted from the array's first element in C order; a multiple of 8.</param>
/// <param name="destination">Filled completely.</param>
/// <exception cref="IOException">The bytes no longer exist.</exception>
public delegate void SharedArrayReader(long offset, Span<byte> destination);
