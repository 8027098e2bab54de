using System.Runtime.CompilerServices;
using System.Text;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>
/// Weights and inputs derived from their names: the FNV-1a hash of a name seeds a SplitMix64 stream. Any implementation can build the same network
/// this way, so two implementations can be compared without a checkpoint.
/// </summary>
/// <param name="prefix">Prepended to every name before hashing; a different prefix gives a different network.</param>
public sealed class FormulaWeights(string prefix = "")
{
    private const ulong OffsetBasis = 0xCBF29CE484222325;
    private const ulong Prime = 0x100000001B3;
    private const int Chunk = 1 << 16;

    /// <summary>Prepended to every name.</summary>
    public string Prefix => prefix;

    /// <summary>64-bit FNV-1a hash of a text's UTF-8 bytes; no prefix is added.</summary>
    public static ulong Hash(string text)
    {
        ulong hash = OffsetBasis;
        foreach (byte b in Encoding.UTF8.GetBytes(text))
            hash = (hash ^ b) * Prime;
        return hash;
    }

    /// <summary>The i-th number of the stream seeded by a hash, in [-1, 1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Uniform(ulong hash, long index)
    {
        ulong z = hash + ((ulong)(index + 1) * 0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        z ^= z >> 31;
        return ((z >> 11) * (1.0 / (1L << 53)) * 2) - 1;
    }

    /// <summary>Generates a weight.</summary>
    /// <param name="key">State-dict key without prefix; older names for the autoencoder's attention.</param>
    /// <param name="shape">At least one dimension.</param>
    /// <returns>Float32 on the CPU; owned by the caller's dispose scope.</returns>
    public Tensor Weight(string key, IReadOnlyList<long> shape)
    {
        double gain = Gain(key);
        if (shape.Count >= 2)
        {
            bool isEmbedding =
                key.EndsWith("token_embedding.weight", StringComparison.Ordinal) || key.EndsWith("position_embedding.weight", StringComparison.Ordinal);
            double fanIn = shape.Skip(1).Aggregate(1L, (a, b) => a * b);
            return Fill(prefix + key, shape, 0, isEmbedding ? 0.02 * Math.Sqrt(3) : Math.Sqrt(3 / fanIn), gain);
        }
        return key.EndsWith(".weight", StringComparison.Ordinal) ? Fill(prefix + key, shape, 1, 0.1, gain) : Fill(prefix + key, shape, 0, 0.05, gain);
    }

    /// <summary>Generates a network input with variance 1.</summary>
    /// <param name="name">Name without prefix, for instance <c>input:latents</c>.</param>
    /// <param name="shape">Shape.</param>
    /// <returns>Float32 on the CPU; owned by the caller's dispose scope.</returns>
    public Tensor Input(string name, IReadOnlyList<long> shape) => Fill(prefix + name, shape, 0, Math.Sqrt(3), 1);

    /// <summary>Sets every weight of a network.</summary>
    /// <param name="weights">The network's weights.</param>
    /// <param name="dtype">Type of the weights; values are always rounded to float32 first.</param>
    /// <param name="hashedKey">Maps a network key to the key that is hashed; null: the network key is hashed.</param>
    public void Fill(WeightSet weights, ScalarType dtype, Func<string, string>? hashedKey = null) =>
        weights.Fill(weight =>
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor value =
                weight.Init == WeightInit.Range
                    ? ScalarArithmetic.Range(weight.Count, ScalarType.Int64).reshape([.. weight.Dimensions])
                    : Weight(hashedKey?.Invoke(weight.Key) ?? weight.Key, weight.Dimensions).to(dtype);
            return value.MoveToOuterDisposeScope();
        });

    private static double Gain(string key) =>
        key switch
        {
            // Exact names: the autoencoder's encoder.conv_out and post_quant_conv are not scaled.
            "conv_out.weight" or "conv_out.bias" => 0.25,
            "quant_conv.weight" or "quant_conv.bias" => 8,
            "text_model.final_layer_norm.weight" or "text_model.final_layer_norm.bias" => 0.1,
            _ when key.EndsWith(".attn2.to_k.weight", StringComparison.Ordinal) => 6,
            _ when key.EndsWith(".attn2.to_v.weight", StringComparison.Ordinal) => 2,
            _ => 1,
        };

    private static unsafe Tensor Fill(string name, IReadOnlyList<long> shape, double centre, double scale, double gain)
    {
        ulong hash = Hash(name);
        Tensor result = empty([.. shape], ScalarType.Float32);
        long count = result.numel();
        fixed (byte* start = result.bytes)
        {
            float* values = (float*)start;
            long chunks = (count + Chunk - 1) / Chunk;
            if (chunks <= 1)
                Part(0);
            else
                Parallel.For(0L, chunks, Part);

            void Part(long chunk)
            {
                long end = Math.Min(count, (chunk + 1) * Chunk);
                // Rounded once, at the end: the products stay in double, in this order.
                for (long i = chunk * Chunk; i < end; i++)
                    values[i] = (float)((centre + (Uniform(hash, i) * scale)) * gain);
            }
        }
        return result;
    }
}
