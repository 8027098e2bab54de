using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>Builds a SHA-256 over values; each one is preceded by its length, so different lists of values never give the same bytes.</summary>
internal sealed class FingerprintWriter : IDisposable
{
    private const int BlockBytes = 1 << 17;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public FingerprintWriter Add(long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        _hash.AppendData(bytes);
        return this;
    }

    public FingerprintWriter Add(double number) => Add(BitConverter.DoubleToInt64Bits(number));

    public FingerprintWriter Add(ReadOnlySpan<byte> bytes)
    {
        Add((long)bytes.Length);
        _hash.AppendData(bytes);
        return this;
    }

    public FingerprintWriter Add(string text) => Add(Encoding.UTF8.GetBytes(text));

    public FingerprintWriter Add(RgbImage image) => Add(image.Width).Add(image.Height).Add(image.Rgb);

    public FingerprintWriter Add(RegionMask mask)
    {
        byte[] flags = new byte[mask.Width * mask.Height];
        for (int i = 0; i < flags.Length; i++)
            flags[i] = (byte)(mask[i] ? 1 : 0);
        return Add(mask.Width).Add(mask.Height).Add(flags);
    }

    public FingerprintWriter Add(EditTask task)
    {
        Add(task.Id).Add(task.Kind).Add(task.SourcePrompt).Add(task.TargetPrompt).Add(task.BlendWords.Count);
        foreach (string word in task.BlendWords)
            Add(word);
        Add(task.Weights.Count);
        foreach ((string word, double factor) in task.Weights.OrderBy(w => w.Key, StringComparer.Ordinal))
            Add(word).Add(factor);
        return this;
    }

    /// <summary>Adds a file's bytes, in blocks.</summary>
    /// <exception cref="UnreadableFileException">As for <see cref="RegularFile.Open"/>; or a disk error occurs.</exception>
    public FingerprintWriter AddFile(string path)
    {
        using SafeFileHandle handle = RegularFile.Open(path);
        try
        {
            Add(RandomAccess.GetLength(handle));
            byte[] block = new byte[BlockBytes];
            for (long at = 0; RandomAccess.Read(handle, block, at) is > 0 and int read; at += read)
                _hash.AppendData(block, 0, read);
            return this;
        }
        catch (IOException e)
        {
            throw new UnreadableFileException(path, $"cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>The hash of everything added so far, in lower-case hexadecimal.</summary>
    public string Done() => Convert.ToHexStringLower(_hash.GetHashAndReset());

    /// <summary>The hash of one picture's size and pixels.</summary>
    public static string Of(RgbImage image)
    {
        using FingerprintWriter writer = new();
        return writer.Add(image).Done();
    }

    public void Dispose() => _hash.Dispose();
}
