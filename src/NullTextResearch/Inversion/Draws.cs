using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Random draws that depend only on seed, image and iteration, so that batching and resuming do not change them.</summary>
internal static class Draws
{
    /// <summary>One standard normal tensor per image, of the latents' shape; owned by the caller's dispose scope.</summary>
    public static Tensor Noise(InversionProblem problem, long seed, long iteration) => Noise(problem, seed, iteration, [1, .. problem.Latents.shape[1..]]);

    /// <summary>One standard normal tensor of the given shape (with a leading 1) per image; owned by the caller's dispose scope.</summary>
    public static Tensor Noise(InversionProblem problem, long seed, long iteration, long[] one) =>
        Lifetime.Scoped(() =>
            cat([.. Enumerable.Range(0, problem.Images).Select(i => Seeds.Normal((long)Mix(seed, problem.KeyOf(i), iteration), one, problem.Latents))], 0)
        );

    /// <summary>A number in [0, count), the same for all images of a batch, because a network call has one timestep.</summary>
    public static int Index(long seed, long iteration, int count) => (int)(Mix(seed, long.MinValue, iteration) % (ulong)count);

    private static ulong Mix(long seed, long key, long iteration) => Scramble(Scramble(Scramble((ulong)seed) ^ (ulong)key) ^ (ulong)iteration);

    // SplitMix64 (Steele, Lea and Flood 2014): neighbouring inputs give unrelated outputs.
    private static ulong Scramble(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
