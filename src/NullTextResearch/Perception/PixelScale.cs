using NullTextResearch.Images;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>Converts bytes to the pixel values that vision networks were trained with.</summary>
internal static class PixelScale
{
    /// <summary>Subtracts each channel's mean and divides by its deviation.</summary>
    /// <param name="image">A picture.</param>
    /// <param name="mean">Mean of each channel, for values in [0, 1].</param>
    /// <param name="deviation">Standard deviation of each channel, for values in [0, 1].</param>
    /// <param name="white">The value of a byte of 255.</param>
    /// <param name="device">Device of the pixels.</param>
    /// <param name="dtype">Their type.</param>
    /// <returns>[1, 3, H, W]; owned by the caller's dispose scope.</returns>
    public static Tensor Normalised(RgbImage image, double[] mean, double[] deviation, double white, Device device, ScalarType dtype) =>
        Lifetime.WithoutGradient(() => Normalised(Values(image, white, device, Precision.Wide(dtype)), mean, deviation).to(dtype));

    /// <summary>Subtracts each channel's mean and divides by its deviation.</summary>
    /// <param name="values">[B, 3, H, W]; borrowed.</param>
    /// <param name="mean">Mean of each channel.</param>
    /// <param name="deviation">Standard deviation of each channel.</param>
    /// <returns>The same shape; owned by the caller's dispose scope.</returns>
    public static Tensor Normalised(Tensor values, double[] mean, double[] deviation) =>
        Lifetime.Scoped(() =>
            values.sub(tensor(mean, [1, 3, 1, 1]).to(values.dtype, values.device)).div(tensor(deviation, [1, 3, 1, 1]).to(values.dtype, values.device))
        );

    /// <summary>Bytes scaled to [0, <paramref name="white"/>], [1, 3, H, W]; owned by the caller's dispose scope.</summary>
    public static Tensor Values(RgbImage image, double white, Device device, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Lifetime.WithoutGradient(() =>
            tensor(image.Rgb, [1, image.Height, image.Width, 3]).permute(0, 3, 1, 2).contiguous().to(dtype, device).Times(white).Over(255)
        );
    }
}
