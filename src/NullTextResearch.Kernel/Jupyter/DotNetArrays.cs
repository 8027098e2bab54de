using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NullTextResearch.Hosting;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// Plain .NET arrays, for values that no library has a type for: arrays of unsigned numbers, or any array in a kernel without the workbench.
/// </summary>
internal static class DotNetArrays
{
    // Bytes per read.
    private const int Piece = 16 << 20;

    private static readonly (Type Type, SharedElement Element)[] Elements =
    [
        (typeof(bool), SharedElement.Boolean),
        (typeof(byte), SharedElement.UInt8),
        (typeof(sbyte), SharedElement.Int8),
        (typeof(short), SharedElement.Int16),
        (typeof(ushort), SharedElement.UInt16),
        (typeof(int), SharedElement.Int32),
        (typeof(uint), SharedElement.UInt32),
        (typeof(long), SharedElement.Int64),
        (typeof(ulong), SharedElement.UInt64),
        (typeof(Half), SharedElement.Float16),
        (typeof(float), SharedElement.Float32),
        (typeof(double), SharedElement.Float64),
    ];

    /// <summary>The element of a numeric type, or null if there is none.</summary>
    public static SharedElement? ElementOf(Type type)
    {
        int at = Array.FindIndex(Elements, e => e.Type == type);
        return at < 0 ? null : Elements[at].Element;
    }

    /// <summary>The .NET type of an element.</summary>
    public static Type TypeOf(SharedElement element) => Elements.First(e => e.Element == element).Type;

    /// <summary>One number, from its bytes.</summary>
    public static object Number(SharedElement element, byte[] bytes) =>
        element switch
        {
            SharedElement.Boolean => bytes[0] != 0,
            SharedElement.UInt8 => bytes[0],
            SharedElement.Int8 => (sbyte)bytes[0],
            SharedElement.Int16 => BitConverter.ToInt16(bytes),
            SharedElement.UInt16 => BitConverter.ToUInt16(bytes),
            SharedElement.Int32 => BitConverter.ToInt32(bytes),
            SharedElement.UInt32 => BitConverter.ToUInt32(bytes),
            SharedElement.Int64 => BitConverter.ToInt64(bytes),
            SharedElement.UInt64 => BitConverter.ToUInt64(bytes),
            SharedElement.Float16 => BitConverter.ToHalf(bytes),
            SharedElement.Float32 => BitConverter.ToSingle(bytes),
            _ => BitConverter.ToDouble(bytes),
        };

    /// <summary>An array with the same axes; the number itself if there are none.</summary>
    /// <exception cref="ArgumentException">It has more axes or elements than a .NET array can have.</exception>
    public static object Read(SharedArray source)
    {
        if (source.Shape.Count > 32 || source.Shape.Any(l => l > Array.MaxLength))
            throw new ArgumentException("It has more or longer axes than a .NET array can have.");
        int size = SharedArray.ElementSize(source.Element);
        Array array =
            source.Shape.Count == 0
                ? Array.CreateInstance(TypeOf(source.Element), 1)
                : Array.CreateInstance(TypeOf(source.Element), [.. source.Shape.Select(l => (int)l)]);
        for (long at = 0; at < source.ByteCount; at += Piece)
        {
            ref byte start = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(array), (nint)at);
            source.Read(at, MemoryMarshal.CreateSpan(ref start, (int)Math.Min(Piece, source.ByteCount - at) / size * size));
        }

        return source.Shape.Count == 0 ? array.GetValue(0)! : array;
    }
}
