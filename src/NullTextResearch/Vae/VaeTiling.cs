using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Vae;

/// <summary>
/// The autoencoder in overlapping tiles, blended linearly where they overlap: memory grows with the tile, not with the image. Each tile is normalised
/// and attends on its own, so the result differs a little from the untiled one; an image that fits into one tile is not affected.
/// </summary>
/// <remarks>
/// Measured on sd-mini with tiles of its training size, in a picture of twice the width and height, with half a tile of overlap: the decoded picture
/// matches the untiled one to 29.6 dB, and the latents differ by 12 %.
/// </remarks>
/// <param name="vae">Network; borrowed.</param>
/// <param name="tile">Side of a tile in latents.</param>
/// <param name="overlap">Minimum number of latents that neighbouring tiles share, 1 to half a tile.</param>
public sealed class VaeTiling(AutoencoderKL vae, int tile, int overlap)
{
    /// <summary>As <see cref="AutoencoderKL.Encode"/>.</summary>
    /// <param name="pixels">[B, 3, H, W] in [-1, 1], sides divisible by the autoencoder's factor; borrowed.</param>
    /// <returns>z_0, [B, 4, H/f, W/f]; owned by the caller's dispose scope.</returns>
    public Tensor Encode(Tensor pixels)
    {
        vae.RequirePixels(pixels);
        return Run(pixels, vae.Config.Downscale, vae.Config.LatentChannels, 1, vae.Encode);
    }

    /// <summary>As <see cref="AutoencoderKL.Decode"/>.</summary>
    /// <param name="latents">[B, 4, h, w]; borrowed.</param>
    /// <returns>[B, 3, h f, w f]; owned by the caller's dispose scope.</returns>
    public Tensor Decode(Tensor latents)
    {
        Shape.Require(latents, [-1, vae.Config.LatentChannels, -1, -1]);
        return Run(latents, 1, vae.Config.ImageChannels, vae.Config.Downscale, vae.Decode);
    }

    /// <summary>First latents of the tiles along one side: the fewest that cover it, evenly spread, all of the same size.</summary>
    /// <param name="side">Latents along the side.</param>
    internal int[] Starts(int side)
    {
        if (side <= tile)
            return [0];
        int count = (int)Math.Ceiling((side - overlap) / (double)(tile - overlap));
        return [.. Enumerable.Range(0, count).Select(i => (int)Math.Round(i * (side - tile) / (count - 1.0)))];
    }

    /// <summary>Weight of each tile at each point of a side; the weights of a point sum to 1.</summary>
    /// <param name="starts">First latents of the tiles.</param>
    /// <param name="scale">Points per latent.</param>
    internal double[][] Weights(int[] starts, int scale)
    {
        int length = tile * scale;
        // A trapezoid: it rises over the overlap with the previous tile and falls over the overlap with the next one, never to 0.
        double[][] weights =
        [
            .. starts.Select(
                (start, i) =>
                {
                    double rise = i == 0 ? 0 : (starts[i - 1] + tile - start) * scale,
                        fall = i == starts.Length - 1 ? 0 : (start + tile - starts[i + 1]) * scale;
                    return Enumerable
                        .Range(0, length)
                        .Select(at => Math.Min(1, Math.Min(rise == 0 ? 1 : (at + 0.5) / rise, fall == 0 ? 1 : (length - at - 0.5) / fall)))
                        .ToArray();
                }
            ),
        ];
        double[] sums = new double[(starts[^1] + tile) * scale];
        for (int i = 0; i < starts.Length; i++)
        {
            for (int at = 0; at < length; at++)
                sums[(starts[i] * scale) + at] += weights[i][at];
        }
        for (int i = 0; i < starts.Length; i++)
        {
            for (int at = 0; at < length; at++)
                weights[i][at] /= sums[(starts[i] * scale) + at];
        }
        return weights;
    }

    private Tensor Run(Tensor input, int from, int channels, int to, Func<Tensor, Tensor> work)
    {
        int height = (int)input.shape[2] / from,
            width = (int)input.shape[3] / from;
        int[] rows = Starts(height),
            columns = Starts(width);
        if (rows.Length == 1 && columns.Length == 1)
            return work(input);
        // One lease for all tiles: the weights also stay in place between them.
        using UseGate.Lease use = vae.Weights.Use();
        using DisposeScope scope = NewDisposeScope();
        ScalarType wide = Precision.Wide(input.dtype);
        Tensor output = zeros([input.shape[0], channels, height * to, width * to], wide, input.device);
        Tensor[] down = Axis(rows, height),
            across = Axis(columns, width);
        int high = Math.Min(tile, height),
            broad = Math.Min(tile, width);
        for (long image = 0; image < input.shape[0]; image++)
        {
            for (int r = 0; r < rows.Length; r++)
            {
                for (int c = 0; c < columns.Length; c++)
                {
                    using DisposeScope each = NewDisposeScope();
                    Tensor piece = input.narrow(0, image, 1).narrow(2, rows[r] * from, high * from).narrow(3, columns[c] * from, broad * from).contiguous();
                    Tensor made = work(piece).to(wide).mul(down[r].unsqueeze(1)).mul(across[c]);
                    output.narrow(0, image, 1).narrow(2, rows[r] * to, high * to).narrow(3, columns[c] * to, broad * to).PlusInPlace(made);
                }
            }
        }
        return output.to(input.dtype).MoveToOuterDisposeScope();

        Tensor[] Axis(int[] starts, int side) =>
            starts.Length == 1 ? [ones([(long)side * to], wide, input.device)] : [.. Weights(starts, to).Select(w => tensor(w).to(wide, input.device))];
    }
}
