using System.Globalization;
using System.Text;
using NullTextResearch.UNet;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>One forward pass on a GPU: seconds until the CPU had launched everything, and until the GPU had finished.</summary>
internal sealed record LaunchGap(int Pixels, int Batch, double Enqueue, double Wall)
{
    /// <summary>Until the CPU has launched everything, the GPU may have to wait for it; after that, never.</summary>
    public double Share => Enqueue / Wall;
}

/// <summary>How much of a forward pass a GPU may spend waiting for the CPU to launch kernels. Needs CUDA; not run on a GPU so far.</summary>
internal static class LaunchGaps
{
    public static IEnumerable<LaunchGap> Measure(UNet2DConditionModel network, int pixels)
    {
        // The last one has the same launches and next to no work: roughly the cost of launching alone.
        foreach ((int side, int batch) in ((int, int)[])[(pixels, 1), (pixels, 2), (pixels, 4), (64, 1)])
        {
            using NetworkPass pass = new(network, side, batch);
            (double enqueue, double wall) = pass.Best(pass.Forward);
            yield return new LaunchGap(side, batch, enqueue, wall);
        }
    }

    public static string Report(IReadOnlyDictionary<ScalarType, UNet2DConditionModel> networks, int pixels)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        StringBuilder text = new();
        text.AppendLine(
            "**Kernel-launch gaps.** *Enqueue* is the time until a forward pass returns, *wall* until the GPU has finished it. The GPU can wait for the "
                + "CPU only during the first, so the share is an upper bound; it is less where the driver's queue was full and the CPU waited instead. At "
                + "64 pixels there are as many launches and next to no work: its wall is the cost of the launches. A network bound by launches costs the "
                + "same at batch 1 and 2."
        );
        text.AppendLine();
        text.AppendLine("| precision | pixels | batch | enqueue, s | wall, s | share of the wall in which the GPU could wait for the CPU |");
        text.AppendLine("|---|---|---|---|---|---|");
        foreach ((ScalarType dtype, UNet2DConditionModel network) in networks)
        {
            foreach (LaunchGap gap in Measure(network, pixels))
                text.AppendLine(c, $"| {dtype} | {gap.Pixels} | {gap.Batch} | {gap.Enqueue:0.0000} | {gap.Wall:0.0000} | {100 * gap.Share:0} % |");
        }
        return text.ToString();
    }
}
