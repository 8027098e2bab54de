using static TorchSharp.torch;

namespace NullTextResearch.Tensors;

/// <summary>Random tensors from explicit seeds.</summary>
public static class Seeds
{
    /// <summary>Standard normal noise that depends only on the seed, not on device, batch or history.</summary>
    /// <param name="seed">Any number; equal seeds give equal noise.</param>
    /// <param name="shape">Shape of the result.</param>
    /// <param name="like">Tensor whose device and dtype the result takes.</param>
    /// <returns>Noise drawn in float32 on the CPU, then moved; owned by the caller's dispose scope.</returns>
    public static Tensor Normal(long seed, ReadOnlySpan<long> shape, Tensor like)
    {
        using Generator generator = new((ulong)seed);
        using Tensor drawn = randn(shape.ToArray(), dtype: ScalarType.Float32, generator: generator);
        return drawn.to(like.dtype, like.device, copy: true);
    }
}
