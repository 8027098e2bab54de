using NullTextResearch.Attention;
using NullTextResearch.Layers;
using NullTextResearch.Tensors;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.SelfTest;

/// <summary>An operation used by inversion, sampling or training, at a size that reveals the known faults.</summary>
/// <param name="Name">Name and size.</param>
/// <param name="Shapes">Shapes of its inputs; the gradient of each is checked.</param>
/// <param name="Own">This library's implementation.</param>
/// <param name="Reference">Another implementation, run in float64.</param>
/// <param name="IsShort">Whether it is part of the short test.</param>
/// <param name="Plain">libtorch's own operation, if this library replaces it.</param>
internal sealed record TestedOperation(
    string Name,
    long[][] Shapes,
    Func<Tensor[], Tensor> Own,
    Func<Tensor[], Tensor> Reference,
    bool IsShort = false,
    Func<Tensor[], Tensor>? Plain = null
)
{
    /// <summary>All operations.</summary>
    public static IReadOnlyList<TestedOperation> All { get; } =
    [
        Convolve("Stable Diffusion's U-Net output", 1, 320, 4, 16, isShort: true),
        Convolve("the same, larger, two images", 2, 320, 4, 32),
        Convolve("Stable Diffusion's U-Net input", 1, 4, 320, 16, isShort: true),
        Convolve("Stable Diffusion's residual block", 1, 320, 320, 8, isShort: true),
        Convolve("residual block with skip input", 1, 640, 320, 8),
        Convolve("downsampling", 1, 320, 320, 8, stride: 2, isShort: true),
        Convolve("downsampling, odd size", 1, 320, 320, 9, stride: 2),
        Convolve("autoencoder downsampling, unpadded", 1, 128, 128, 17, stride: 2, padding: 0),
        Convolve("shortcut", 1, 640, 320, 8, kernel: 1),
        Convolve("autoencoder output", 1, 128, 3, 24),
        Convolve("autoencoder moments", 1, 8, 8, 16, kernel: 1, isShort: true),
        Convolve("sd-mini's U-Net output", 1, 64, 4, 16, isShort: true),
        Convolve("sd-mini's U-Net output, two images", 2, 64, 4, 16, isShort: true),
        Convolve("sd-mini's U-Net output, eight images", 8, 64, 4, 16),
        Convolve("sd-mini's autoencoder, input", 8, 3, 32, 32),
        Convolve("sd-mini's autoencoder, output", 8, 32, 3, 32, isShort: true),
        Convolve("sd-mini's autoencoder, middle", 8, 96, 8, 16),
        Convolve("half-filled channel block", 2, 40, 24, 12),
        Convolve("odd block count, strided", 2, 80, 48, 13, stride: 2),
        Product("text to keys", 2, 77, 768, 320, isShort: true),
        Product("feed-forward", 1, 64, 320, 2560),
        Product("time embedding, one row", 1, 1, 320, 1280, isShort: true),
        Product("sd-mini's text to keys", 2, 77, 128, 64, isShort: true),
        Product("odd sizes", 3, 7, 51, 33),
        Attend("fused self-attention", FusedAttention.Instance, 2, 8, 256, 256, 40, isShort: true),
        Attend("fused cross-attention", FusedAttention.Instance, 2, 8, 256, 77, 40, isShort: true),
        Attend("fused cross-attention, wide heads", FusedAttention.Instance, 1, 8, 64, 77, 160),
        Attend("explicit self-attention", ExplicitAttention.Instance, 1, 8, 256, 256, 40),
        Attend("explicit cross-attention", ExplicitAttention.Instance, 2, 8, 256, 77, 40, isShort: true),
        Attend("explicit cross-attention of sd-mini", ExplicitAttention.Instance, 2, 4, 64, 77, 32),
        Pointwise(
            "group norm, 320 channels",
            [
                [2, 320, 16, 16],
                [320],
                [320],
            ],
            t => F.group_norm(t[0], 32, t[1], t[2], 1e-5),
            t => Normalised(t[0].view(2, 32, -1)).view(2, 320, 16, 16).mul(t[1].view(1, -1, 1, 1)).Plus(t[2].view(1, -1, 1, 1)),
            isShort: true
        ),
        Pointwise(
            "layer norm, 320 channels",
            [
                [1, 16, 320],
                [320],
                [320],
            ],
            t => F.layer_norm(t[0], [320], t[1], t[2], 1e-5),
            t => Normalised(t[0]).mul(t[1]).Plus(t[2]),
            isShort: true
        ),
        Pointwise(
            "silu",
            [
                [2, 64, 16, 16],
            ],
            t => F.silu(t[0]),
            t => t[0].div(t[0].neg().exp().Plus(1)),
            isShort: true
        ),
        Pointwise(
            "gelu",
            [
                [2, 77, 320],
            ],
            t => F.gelu(t[0]),
            t => t[0].mul(t[0].Over(Math.Sqrt(2)).erf().Plus(1)).Times(0.5),
            isShort: true
        ),
        Pointwise(
            "softmax",
            [
                [4, 64, 77],
            ],
            t => t[0].softmax(-1),
            t => t[0].exp().div(t[0].exp().sum(-1, keepdim: true)),
            isShort: true
        ),
        Pointwise(
            "mean square",
            [
                [2, 4, 16, 16],
                [2, 4, 16, 16],
            ],
            t => t[0].sub(t[1]).Squared().flatten(1).mean([1]),
            t => t[0].sub(t[1]).abs().pow(tensor(2f)).sum([1, 2, 3]).Over(1024),
            isShort: true
        ),
    ];

    private static TestedOperation Convolve(
        string what,
        long rows,
        long from,
        long to,
        long side,
        long kernel = 3,
        long stride = 1,
        long? padding = null,
        bool isShort = false
    )
    {
        long pad = padding ?? kernel / 2;
        Tensor Plain(Tensor[] t) => Widened(t, w => F.conv2d(w[0], w[1], w[2], strides: [stride, stride], padding: [pad, pad]));
        return new(
            $"{kernel}x{kernel} convolution {from} to {to}{(stride == 1 ? "" : $", stride {stride}")}, {rows} of {side}x{side} ({what})",
            [
                [rows, from, side, side],
                [to, from, kernel, kernel],
                [to],
            ],
            t => Widened(t, w => Convolution.Of(w[0], w[1], w[2], stride, pad)),
            Plain,
            isShort,
            Plain
        );
    }

    private static TestedOperation Product(string what, long rows, long positions, long from, long to, bool isShort = false) =>
        new(
            $"product {from} to {to}, {rows} of {positions} ({what})",
            [
                [rows, positions, from],
                [to, from],
                [to],
            ],
            t => Widened(t, w => F.linear(w[0], w[1], w[2])),
            t => t[0].view(-1, from).mm(t[1].t()).Plus(t[2]).view(rows, positions, to),
            isShort
        );

    private static TestedOperation Attend(
        string what,
        INetworkHook processor,
        long rows,
        long heads,
        long pixels,
        long keys,
        long size,
        bool isShort = false
    ) =>
        // Strided as in the network: heads are a view of the channels.
        new(
            $"{what}, {rows} of {heads} heads, {pixels} x {keys} x {size}",
            [
                [rows, pixels, heads, size],
                [rows, keys, heads, size],
                [rows, keys, heads, size],
            ],
            t => processor.Attend(default, t[0].transpose(1, 2), t[1].transpose(1, 2), t[2].transpose(1, 2)),
            t =>
            {
                Tensor Flat(Tensor x, long positions) => x.transpose(1, 2).reshape(rows * heads, positions, size);
                return Flat(t[0], pixels)
                    .bmm(Flat(t[1], keys).transpose(1, 2))
                    .Over(Math.Sqrt(size))
                    .softmax(-1)
                    .bmm(Flat(t[2], keys))
                    .view(rows, heads, pixels, size);
            },
            isShort
        );

    private static TestedOperation Pointwise(
        string name,
        long[][] shapes,
        Func<Tensor[], Tensor> own,
        Func<Tensor[], Tensor> reference,
        bool isShort = false
    ) => new(name, shapes, own, reference, isShort);

    private static Tensor Normalised(Tensor x)
    {
        Tensor centred = x.sub(x.mean([-1], keepdim: true));
        return centred.div(centred.Squared().mean([-1], keepdim: true).Plus(1e-5).sqrt());
    }

    // As in the layers: on a CPU, float16 products are computed in float32.
    private static Tensor Widened(Tensor[] inputs, Func<Tensor[], Tensor> product) =>
        Products.Of(inputs[0], wide => product([wide, .. inputs.Skip(1).Select(t => t.to(wide.dtype))]));
}
