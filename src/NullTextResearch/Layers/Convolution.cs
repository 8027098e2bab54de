using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Layers;

/// <summary>
/// The only place where this library convolves. On a CPU, channels are padded with zeros wherever libtorch's own convolution is known to give wrong results;
/// the padding does not change the correct result.
/// </summary>
/// <remarks>
/// libtorch 2.10 convolves with oneDNN 3.7.1, which stores channels in blocks of 16. On AMD processors of the Zen 5 family it uses data beyond the last channel
/// of an incomplete block, which causes errors of 5 to 100 % and occasional NaNs: in the gradient of the input; in 16-bit types, also in the result; and in
/// float32, in the result if there are more than 16 input channels and the last block is incomplete. With a stride, the gradient of the input is also wrong for
/// odd numbers of full blocks. With the channel counts below, none of 500 random shapes on such a processor gave a wrong result. <c>ArithmeticSelfTest</c>
/// checks whether that holds on the current machine.
/// </remarks>
public static class Convolution
{
    /// <summary>Channels in a block of oneDNN.</summary>
    public const int Block = 16;

    /// <summary>Convolves images.</summary>
    /// <param name="x">[B, from, H, W]; borrowed.</param>
    /// <param name="weight">[to, from, kernel, kernel], of the type of <paramref name="x"/>; borrowed.</param>
    /// <param name="bias">[to], or null for none; borrowed.</param>
    /// <param name="stride">Step between windows, in both directions.</param>
    /// <param name="padding">Zeros on all four sides.</param>
    /// <returns>[B, to, H', W']; owned by the caller's dispose scope. If channels were added, a view into a larger tensor.</returns>
    /// <exception cref="ShapeMismatchException">Input and weight differ in channels.</exception>
    public static Tensor Of(Tensor x, Tensor weight, Tensor? bias = null, long stride = 1, long padding = 0)
    {
        Shape.Require(x, [-1, weight.shape[1], -1, -1]);
        long to = weight.shape[0],
            from = weight.shape[1];
        (long moreTo, long moreFrom) = AddedChannels(x.dtype, x.device.type, from, to, stride, is_grad_enabled() && x.requires_grad);
        if (moreTo == 0 && moreFrom == 0)
            return F.conv2d(x, weight, bias, strides: [stride, stride], padding: [padding, padding]);
        return Lifetime.Scoped(() =>
        {
            Tensor wideWeight = F.pad(weight, [0, 0, 0, 0, 0, moreFrom, 0, moreTo]);
            Tensor? wideBias = bias is null || moreTo == 0 ? bias : F.pad(bias, [0, moreTo]);
            Tensor wideInput = moreFrom == 0 ? x : F.pad(x, [0, 0, 0, 0, 0, moreFrom]);
            return F.conv2d(wideInput, wideWeight, wideBias, strides: [stride, stride], padding: [padding, padding]).narrow(1, 0, to);
        });
    }

    /// <summary>How many channels of zeros to add.</summary>
    /// <param name="dtype">Type of the arithmetic.</param>
    /// <param name="device">Device of the arithmetic; only a CPU needs padding.</param>
    /// <param name="from">Input channels.</param>
    /// <param name="to">Output channels.</param>
    /// <param name="stride">Step between windows.</param>
    /// <param name="inputGradient">Whether the gradient of the input will be needed.</param>
    internal static (long To, long From) AddedChannels(ScalarType dtype, DeviceType device, long from, long to, long stride, bool inputGradient)
    {
        // float64 does not go through oneDNN.
        if (device != DeviceType.CPU || dtype == ScalarType.Float64)
            return (0, 0);
        if (inputGradient || Precision.IsHalf(dtype))
        {
            int multiple = stride > 1 ? 2 * Block : Block;
            return (Missing(to, multiple), Missing(from, multiple));
        }
        // Fewer channels than a block take another code path, which is correct.
        return (0, from > Block ? Missing(from, Block) : 0);
    }

    private static long Missing(long channels, int multiple) => (multiple - (channels % multiple)) % multiple;
}
