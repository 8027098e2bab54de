using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.Inversion;

/// <summary>Losses that measure how far a noise prediction is from noise, for the paths that move predictions towards noise (pix2pix-zero, ReNoise).</summary>
internal static class NoiseStatistics
{
    // Maps are halved until they have at most this many rows.
    private const int CoarsestRows = 8;

    /// <summary>The gradient of a loss with respect to its argument.</summary>
    /// <param name="at">[B, C, H, W]; borrowed.</param>
    /// <param name="loss">Returns [B]; no entry depends on another image.</param>
    /// <returns>Same shape as <paramref name="at"/>; owned by the caller's dispose scope.</returns>
    public static Tensor Gradient(Tensor at, Func<Tensor, Tensor> loss) =>
        Lifetime.Scoped(() =>
        {
            using IDisposable grad = enable_grad();
            Tensor leaf = at.detach().requires_grad_(true);
            Tensor total = loss(leaf).sum();
            return total.requires_grad ? PredictionGradient.Of(total, [leaf])[0] : zeros_like(at);
        });

    /// <summary>
    /// How far the statistics of small patches are from those of a reference: the sum over channels and patches of 4 x 4 (or the whole map, if it is smaller)
    /// of |log(v1 / v0) + (v0 + (m0 - m1)^2) / v1 - 1|, with mean m and variance v, index 1 for the reference. Rows and columns beyond the last whole patch are
    /// ignored.
    /// </summary>
    /// <param name="prediction">[B, C, H, W]; borrowed. Gradients flow to it.</param>
    /// <param name="reference">Same shape; borrowed.</param>
    /// <returns>[B]; owned by the caller's dispose scope.</returns>
    public static Tensor PatchDivergence(Tensor prediction, Tensor reference)
    {
        Shape.RequireSame(reference, prediction);
        const double Least = 1e-6;
        return Lifetime.Scoped(() =>
        {
            (Tensor m0, Tensor v0) = Moments(prediction);
            (Tensor m1, Tensor v1) = Moments(reference);
            Tensor own = v0.Plus(Least),
                other = v1.Plus(Least);
            Tensor distance = other.div(own).log().Plus(v0.Plus(m0.sub(m1).Squared()).div(other)).Plus(-1);
            return distance.abs().flatten(1).sum(1);
        });
    }

    /// <summary>Mean and unbiased variance of every patch.</summary>
    private static (Tensor Mean, Tensor Variance) Moments(Tensor map)
    {
        const int Side = 4;
        long rows = Math.Min(Side, map.shape[2]),
            columns = Math.Min(Side, map.shape[3]);
        Tensor patches = map.unfold(2, rows, rows).unfold(3, columns, columns).flatten(4);
        Tensor mean = patches.mean([4], keepdim: true);
        Tensor variance = patches.sub(mean).Squared().sum(4).Over(Math.Max(1, (rows * columns) - 1));
        return (mean.squeeze(4), variance);
    }

    /// <summary>
    /// How much every channel correlates with a shifted copy of itself: mean(n shifted(n))^2 along rows and along columns, summed over channels and over the
    /// map and its downsampled versions, down to 8 rows.
    /// </summary>
    /// <param name="prediction">[B, C, H, W]; borrowed. Gradients flow to it.</param>
    /// <param name="shift">Takes the number of rows of a map; returns the shift, or null to skip the map. Called channel by channel, large maps first.</param>
    /// <returns>[B]; owned by the caller's dispose scope.</returns>
    public static Tensor SelfCorrelation(Tensor prediction, Func<int, int?> shift) =>
        Lifetime.Scoped(() =>
        {
            List<Tensor> terms = [];
            for (long channel = 0; channel < prediction.shape[1]; channel++)
            {
                Tensor map = prediction.narrow(1, channel, 1);
                while (true)
                {
                    if (shift((int)map.shape[2]) is { } by)
                    {
                        foreach (long axis in (long[])[2, 3])
                            terms.Add(map.mul(map.roll(by, axis)).mean([1L, 2, 3]).Squared());
                    }
                    if (map.shape[2] <= CoarsestRows || map.shape[3] < 2)
                        break;
                    map = F.avg_pool2d(map, 2);
                }
            }
            return terms.Count == 0 ? prediction.new_zeros(prediction.shape[0]) : stack(terms, 1).sum(1);
        });

    /// <summary>
    /// var + mean^2 - 1 - log var of each image's values: twice the KL divergence of a normal distribution with their mean and variance from the standard
    /// normal.
    /// </summary>
    /// <param name="prediction">[B, C, H, W]; borrowed. Gradients flow to it.</param>
    /// <returns>[B]; owned by the caller's dispose scope.</returns>
    public static Tensor Divergence(Tensor prediction) =>
        Lifetime.Scoped(() =>
        {
            Tensor values = prediction.flatten(1);
            Tensor mean = values.mean([1L], keepdim: true);
            Tensor variance = values.sub(mean).Squared().sum([1L]).Over(values.shape[1] - 1);
            return variance.Plus(mean.squeeze(1).Squared()).sub(variance.Plus(1e-7).log()).Plus(-1);
        });
}
