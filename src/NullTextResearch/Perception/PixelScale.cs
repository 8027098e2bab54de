using NullTextResearch.Images;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>Between bytes and the pixels that networks for pictures were trained with.</summary>
internal static class PixelScale
{
    /// <summary>Each channel less its mean, divided by its deviation.</summary>
    /// <param name="image">A picture.</param>
    /// <param name="mean">Of each channel, for values of 0 to 1.</param>
    /// <param name="deviation">Of each channel, for values of 0 to 1.</param>
    /// <param name="white">What a byte of 255 counts as.</param>
    /// <param name="device">Where the pixels go.</param>
    /// <param name="dtype">Their type.</param>
    /// <returns>[1, 3, H, W]; owned by the caller's dispose scope.</returns>
    public static Tensor Normalised(RgbImage image, double[] mean, double[] deviation, double white, Device device, ScalarType dtype) =>
        Lifetime.WithoutGradient(() => Normalised(Values(image, white, device, Precision.Wide(dtype)), mean, deviation).to(dtype));

    /// <summary>Each channel less its mean, divided by its deviation.</summary>
    /// <param name="values">[B, 3, H, W]; borrowed.</param>
    /// <param name="mean">Of each channel.</param>
    /// <param name="deviation">Of each channel.</param>
    /// <returns>The same shape; owned by the caller's dispose scope.</returns>
    public static Tensor Normalised(Tensor values, double[] mean, double[] deviation) =>
        Lifetime.Scoped(() =>
            values.sub(tensor(mean, [1, 3, 1, 1]).to(values.dtype, values.device)).div(tensor(deviation, [1, 3, 1, 1]).to(values.dtype, values.device))
        );

    /// <summary>Bytes as 0 to <paramref name="white"/>, [1, 3, H, W]; owned by the caller's dispose scope.</summary>
    public static Tensor Values(RgbImage image, double white, Device device, ScalarType dtype)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Lifetime.WithoutGradient(() =>
            tensor(image.Rgb, [1, image.Height, image.Width, 3]).permute(0, 3, 1, 2).contiguous().to(dtype, device).Times(white).Over(255)
        );
    }
}
