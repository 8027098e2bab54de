using System.Globalization;
using NullTextResearch.Hosting;
using NullTextResearch.Images;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive.Sharing;

/// <summary>
/// Converts tensors and images to arrays of other languages and back, bit for bit. An image is a byte array
/// [height, width, 3], as in numpy and PIL.
/// </summary>
internal sealed class LibraryArrays : ISharedArrayConverter
{
    // Size of one read, because a span cannot cover tensors of more than 2 GB.
    private const long Piece = 16L << 20;

    private static readonly (ScalarType Type, SharedElement Element)[] Elements =
    [
        (ScalarType.Bool, SharedElement.Boolean),
        (ScalarType.Byte, SharedElement.UInt8),
        (ScalarType.Int8, SharedElement.Int8),
        (ScalarType.Int16, SharedElement.Int16),
        (ScalarType.Int32, SharedElement.Int32),
        (ScalarType.Int64, SharedElement.Int64),
        (ScalarType.Float16, SharedElement.Float16),
        (ScalarType.Float32, SharedElement.Float32),
        (ScalarType.Float64, SharedElement.Float64),
    ];

    /// <inheritdoc/>
    public SharedArray? ToShared(object value) =>
        value switch
        {
            RgbImage image => new SharedArray(
                SharedElement.UInt8,
                [image.Height, image.Width, 3],
                (offset, destination) => image.Rgb.AsSpan((int)offset, destination.Length).CopyTo(destination)
            ),
            Tensor tensor => OfTensor(tensor),
            _ => null,
        };

    /// <inheritdoc/>
    public object? FromShared(SharedArray array, Type? wanted)
    {
        if (wanted == typeof(RgbImage) || (wanted is null && IsPicture(array)))
        {
            if (!IsPicture(array))
                throw new ArgumentException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"A picture is UInt8 [height, width, 3]; this is {array.Element} [{string.Join(", ", array.Shape)}]."
                    ),
                    nameof(array)
                );
            byte[] rgb = new byte[array.ByteCount];
            array.Read(0, rgb);
            return new RgbImage((int)array.Shape[1], (int)array.Shape[0], rgb);
        }

        if (wanted is not null && wanted != typeof(Tensor))
            return null;
        // Element types that tensors lack are left to the kernel, which creates .NET arrays for them.
        int known = Array.FindIndex(Elements, e => e.Element == array.Element);
        return known < 0 ? null : ToTensor(array, Elements[known].Type);
    }

    private static bool IsPicture(SharedArray array) =>
        array.Element == SharedElement.UInt8 && array.Shape is [>= 1, >= 1, 3] && array.ByteCount <= Array.MaxLength;

    private static SharedArray OfTensor(Tensor tensor)
    {
        if (tensor.IsInvalid)
            throw new ArgumentException("The tensor is disposed: share it before its scope ends, or move it out of the scope with MoveToOuterDisposeScope().");
        bool widened = tensor.dtype == ScalarType.BFloat16;
        ScalarType type = widened ? ScalarType.Float32 : tensor.dtype;
        int known = Array.FindIndex(Elements, e => e.Type == type);
        if (known < 0)
            throw new ArgumentException(
                $"Tensors of {tensor.dtype} cannot be shared; convert first: tensor.to(ScalarType.Float32), or share tensor.real and tensor.imag separately."
            );
        SharedElement element = Elements[known].Element;
        // Shares the memory if possible, i.e. for a contiguous tensor on the CPU.
        Tensor flat;
        using (NewDisposeScope())
        using (no_grad())
        {
            flat = tensor.detach().cpu().to(type).contiguous().view(-1).DetachFromDisposeScope();
        }

        int size = SharedArray.ElementSize(element);
        return new SharedArray(
            element,
            tensor.shape,
            (offset, destination) =>
            {
                using Tensor piece = flat.narrow(0, offset / size, destination.Length / size).DetachFromDisposeScope();
                piece.bytes.CopyTo(destination);
            },
            flat
        )
        {
            Note = widened ? "bfloat16, which numpy does not have, is passed on as float32: the same values in twice the memory" : null,
        };
    }

    private static Tensor ToTensor(SharedArray array, ScalarType type)
    {
        int size = SharedArray.ElementSize(array.Element);
        Tensor result = empty([.. array.Shape], dtype: type, device: CPU).DetachFromDisposeScope();
        try
        {
            using Tensor flat = result.view(-1).DetachFromDisposeScope();
            for (long at = 0; at < array.ByteCount; at += Piece)
            {
                using Tensor piece = flat.narrow(0, at / size, Math.Min(Piece, array.ByteCount - at) / size).DetachFromDisposeScope();
                array.Read(at, piece.bytes);
            }

            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }
}
