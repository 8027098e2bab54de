using System.Security.Cryptography;
using System.Text.Json;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>
/// The state of an interrupted stage: a few float32 vectors and numbers in one file. The file is replaced atomically, so a process killed at any time leaves
/// either the old state or the new one. The last 32 bytes are the SHA-256 of all preceding bytes.
/// </summary>
internal static class TrainingCheckpoint
{
    private static readonly byte[] Magic = "NTRTRAIN2"u8.ToArray(),
        OlderMagic = "NTRTRAIN1"u8.ToArray();
    private static readonly JsonSerializerOptions Strict = StoredJson.Strict(JsonSerializerOptions.Default);

    /// <summary>Path of the state before the last one, the fallback if the last one is damaged.</summary>
    public static string Previous(string path) => path + ".previous";

    /// <summary>Writes a state.</summary>
    /// <param name="path">The file.</param>
    /// <param name="numbers">Numbers by name.</param>
    /// <param name="vectors">Vectors by name.</param>
    /// <param name="keepPrevious">Whether the existing state is kept as <see cref="Previous"/>.</param>
    /// <exception cref="IOException">The disk is full or the path cannot be written; an earlier state is unchanged.</exception>
    public static void Save(string path, IReadOnlyDictionary<string, double> numbers, IReadOnlyDictionary<string, Tensor> vectors, bool keepPrevious = false) =>
        WholeFile.Write(
            path,
            file =>
            {
                using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                byte[] header = JsonSerializer.SerializeToUtf8Bytes(new Header(new(numbers), [.. vectors.Keys], [.. vectors.Values.Select(v => v.shape[0])]));
                Put(Magic);
                Put(BitConverter.GetBytes(header.Length));
                Put(header);
                foreach (Tensor vector in vectors.Values)
                {
                    using Tensor cpu = vector.cpu();
                    Put(cpu.bytes);
                }

                file.Write(hash.GetHashAndReset());
                file.Flush(flushToDisk: true);
                // The new state is on disk: from here on, one of the two can always be found.
                if (keepPrevious && File.Exists(path))
                    File.Move(path, Previous(path), overwrite: true);

                void Put(ReadOnlySpan<byte> bytes)
                {
                    file.Write(bytes);
                    hash.AppendData(bytes);
                }
            }
        );

    /// <summary>Reads the numbers, and copies each vector into the tensor of the same name and length.</summary>
    /// <exception cref="TrainingFileException">The file is damaged, or not a state of this stage and these networks; nothing was copied.</exception>
    public static IReadOnlyDictionary<string, double> Load(string path, IReadOnlyDictionary<string, Tensor> vectors)
    {
        using FileStream file = File.OpenRead(path);
        Header header = ReadHeader(file, path);
        if (!header.Names.SequenceEqual(vectors.Keys) || !header.Lengths.SequenceEqual(vectors.Values.Select(v => v.shape[0])))
            throw new TrainingFileException($"{path} belongs to networks of other sizes; use the recipe that wrote it, or train into another folder.");
        using IDisposable grad = no_grad();
        foreach (Tensor vector in vectors.Values)
        {
            using Tensor cpu = empty(vector.shape, ScalarType.Float32);
            file.ReadExactly(cpu.bytes);
            vector.copy_(cpu);
        }

        return header.Numbers;
    }

    /// <summary>Reads the last intact state. If that is the previous one, it is restored as the last one.</summary>
    /// <param name="path">The file of the last state.</param>
    /// <param name="vectors">As for <see cref="Load"/>.</param>
    /// <param name="note">The damage found, for display; null if there is none.</param>
    /// <returns>The numbers, or null if there is no state at all.</returns>
    /// <exception cref="TrainingFileException">States exist but none is intact, or the state belongs to other networks.</exception>
    public static IReadOnlyDictionary<string, double>? LoadLast(string path, IReadOnlyDictionary<string, Tensor> vectors, out string? note)
    {
        note = null;
        string previous = Previous(path);
        if (File.Exists(path))
        {
            try
            {
                return Load(path, vectors);
            }
            catch (TrainingFileException e) when (e.IsDamage && File.Exists(previous))
            {
                note = $"{e.Message} The previous state is used instead.";
            }
        }

        // A process can be killed after the old state is moved aside and before the new one takes its place.
        if (!File.Exists(previous))
            return null;
        IReadOnlyDictionary<string, double> numbers = Load(previous, vectors);
        File.Move(previous, path, overwrite: true);
        return numbers;
    }

    /// <summary>Verifies the whole file, then positions it at the first vector.</summary>
    private static Header ReadHeader(FileStream file, string path)
    {
        byte[] magic = new byte[Magic.Length],
            sum = new byte[SHA256.HashSizeInBytes],
            hash;
        long end = file.Length - sum.Length;
        int read = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        if (magic.AsSpan().SequenceEqual(OlderMagic))
            throw new TrainingFileException(
                $"{path} is from an older version of this program and has no checksum. Finish that run with that version, or delete the file to restart "
                    + "this part."
            );
        if (read < magic.Length || !magic.AsSpan().SequenceEqual(Magic))
            throw Damage("it does not start like a training checkpoint");
        if (end < magic.Length + sizeof(int))
            throw Damage("it is truncated");
        file.Position = 0;
        using (IncrementalHash all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            byte[] buffer = new byte[1 << 20];
            for (long at = 0; at < end; at += read)
            {
                read = file.Read(buffer, 0, (int)Math.Min(buffer.Length, end - at));
                if (read == 0)
                    throw Damage("it ended while being read");
                all.AppendData(buffer, 0, read);
            }

            hash = all.GetHashAndReset();
        }

        file.ReadExactly(sum);
        if (!hash.AsSpan().SequenceEqual(sum))
            throw Damage("its checksum is wrong: it was truncated, or bytes have changed since it was written");
        file.Position = magic.Length;
        byte[] number = new byte[sizeof(int)];
        file.ReadExactly(number);
        int length = BitConverter.ToInt32(number);
        if (length < 0 || length > end - file.Position)
            throw Damage("its header is longer than the file");
        byte[] text = new byte[length];
        file.ReadExactly(text);
        try
        {
            Header header = StoredJson.Read<Header>(text, Strict);
            // Subtracted one by one, so that no sum of lengths can overflow.
            long left = (end - file.Position) / sizeof(float);
            foreach (long n in header.Lengths)
                left = n < 0 || n > left ? throw Damage("its vectors are longer than the file") : left - n;
            return header;
        }
        catch (JsonException e)
        {
            throw Damage($"its header is not that of a training checkpoint: {e.Message.TrimEnd('.')}", e);
        }

        TrainingFileException Damage(string why, Exception? inner = null) =>
            new($"{path} is damaged ({why}). Restore a copy if you have one, or delete it to restart this part.", inner) { IsDamage = true };
    }

    private sealed record Header(Dictionary<string, double> Numbers, string[] Names, long[] Lengths);
}
