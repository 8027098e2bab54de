using NullTextResearch.Images;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;

namespace NullTextResearch.Tests.Perception;

internal static class PerceptionSamples
{
    public static RgbImage Noise(int width, int height, int seed)
    {
        byte[] rgb = new byte[width * height * 3];
        new Random(seed).NextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    /// <summary>Writes a network's weights under other names; those renamed to null are left out.</summary>
    public static void Write(WeightSet weights, string path, Func<string, string?> rename) =>
        SafetensorsFile.Write(path, weights.All.Where(w => rename(w.Key) is not null).ToDictionary(w => rename(w.Key)!, w => w.Value));

    /// <summary>Counts the tensors that a call leaves behind.</summary>
    public static long LeftBehind(Action call)
    {
        call();
        long before = TensorAssert.Live;
        call();
        return TensorAssert.Live - before;
    }
}
