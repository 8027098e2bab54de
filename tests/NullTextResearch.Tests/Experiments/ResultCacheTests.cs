using NullTextResearch.Experiments;
using NullTextResearch.Metrics;
using Xunit;

namespace NullTextResearch.Tests.Experiments;

public sealed class ResultCacheTests : IDisposable
{
    private static readonly ResultKey Key = new("guidance", "image", "a cat on the beach", "weights", "{\"w\":1}", 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-cache-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Hash_AnyIngredientChanges_Changes()
    {
        ResultKey[] others =
        [
            Key,
            Key with
            {
                Experiment = "bound",
            },
            Key with
            {
                ImageHash = "other",
            },
            Key with
            {
                Prompt = "a dog on the beach",
            },
            Key with
            {
                ModelFingerprint = "finetuned",
            },
            Key with
            {
                OptionsJson = "{\"w\":2}",
            },
            Key with
            {
                AlgorithmVersion = 2,
            },
        ];
        Assert.Equal(others.Length, others.Select(k => k.Hash).Distinct().Count());
    }

    [Fact]
    public void Hash_TextMovesBetweenParts_Changes() =>
        Assert.NotEqual(new ResultKey("a", "bc", "", "", "", 1).Hash, new ResultKey("ab", "c", "", "", "", 1).Hash);

    [Fact]
    public void TryRead_AfterWrite_GivesTheValueToTheSameKeyOnly()
    {
        ResultCache cache = new(_folder);
        GuidanceRecord record = new(2, new GaussianStatistics(4, -5, 1, double.PositiveInfinity, 3, 0, 0.5, [0, 1], [1, 2]), 20, 15, 30);
        cache.Write(Key, record);
        Assert.True(new ResultCache(_folder).TryRead(Key, out GuidanceRecord found));
        Assert.Equal(record.PsnrOne, found.PsnrOne);
        Assert.Equal(record.Noise.ShellDeviation, found.Noise.ShellDeviation);
        Assert.Equal(record.Noise.ChannelDeviations, found.Noise.ChannelDeviations);
        Assert.False(cache.TryRead(Key with { AlgorithmVersion = 2 }, out GuidanceRecord _));
        Assert.DoesNotContain(Directory.GetFiles(_folder), f => f.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public void TryRead_ResultsOfAnEarlierRun_AreCountedOnceWithTheirTime()
    {
        ResultCache first = new(_folder);
        first.Write(Key, 1, seconds: 2.5);
        Assert.True(first.TryRead(Key, out int _));
        Assert.Equal((1, 2.5, 0, 0.0), (first.Found, first.FoundSeconds, first.Earlier, first.EarlierSeconds));

        ResultCache second = new(_folder);
        Assert.True(second.TryRead(Key, out int _) && second.TryRead(Key, out int _));
        Assert.Equal((2, 5.0, 1, 2.5), (second.Found, second.FoundSeconds, second.Earlier, second.EarlierSeconds));

        // As older versions wrote them.
        second.Write(Key with { AlgorithmVersion = 2 }, 1);
        Assert.True(second.TryRead(Key with { AlgorithmVersion = 2 }, out int _));
        Assert.Equal((3, null, 1, 2.5), (second.Found, second.FoundSeconds, second.Earlier, second.EarlierSeconds));
    }

    [Fact]
    public void TryRead_FileCutOff_ComputesAnew()
    {
        ResultCache cache = new(_folder);
        cache.Write(Key, new double[100]);
        byte[] bytes = File.ReadAllBytes(cache.PathOf(Key));
        File.WriteAllBytes(cache.PathOf(Key), bytes[..(bytes.Length / 2)]);
        Assert.False(cache.TryRead(Key, out double[] _));
        cache.Write(Key, new double[] { 1 });
        Assert.True(cache.TryRead(Key, out double[] again));
        Assert.Equal([1], again);
    }

    /// <summary>Whatever is done to an entry: it is computed again, and what is written then is read.</summary>
    [Theory]
    [InlineData("empty object")]
    [InlineData("null")]
    [InlineData("array")]
    [InlineData("empty file")]
    [InlineData("no checksum")]
    [InlineData("other checksum")]
    [InlineData("digit")]
    [InlineData("value missing")]
    [InlineData("value null")]
    [InlineData("key twice")]
    [InlineData("value twice")]
    [InlineData("surrogate")]
    public void TryRead_DamagedEntry_ComputesAnew(string damage)
    {
        ResultCache cache = new(_folder);
        cache.Write(
            Key,
            new ReconstructionRecord
            {
                InnerSteps = 3,
                Psnr = 27.4693042760442,
                Png = [1, 2, 3],
            }
        );
        string path = cache.PathOf(Key),
            good = File.ReadAllText(path);
        int value = good.IndexOf("\"Value\":", StringComparison.Ordinal),
            sum = good.IndexOf("\"Sha256\":", StringComparison.Ordinal);
        string bad = damage switch
        {
            "empty object" => "{}",
            "null" => "null",
            "array" => "[]",
            "empty file" => "",
            // As older versions of the program wrote it.
            "no checksum" => good[..sum] + good[value..],
            "other checksum" => good[..(sum + 10)] + (good[sum + 10] == '0' ? '1' : '0') + good[(sum + 11)..],
            "digit" => good.Replace("27.4693", "27.4793", StringComparison.Ordinal),
            "value missing" => good[..(value - 1)] + "}",
            "value null" => good[..value] + "\"Value\":null}",
            "key twice" => "{\"Key\":{}," + good[1..],
            "value twice" => good[..^1] + "," + good[value..],
            _ => good.Replace("a cat", "\\ud800", StringComparison.Ordinal),
        };
        Assert.NotEqual(good, bad);
        File.WriteAllText(path, bad);
        Assert.False(cache.TryRead(Key, out ReconstructionRecord _));
        Assert.Equal((0, 1), (cache.Found, cache.Damaged));
        File.WriteAllText(path, good);
        Assert.True(cache.TryRead(Key, out ReconstructionRecord again));
        Assert.Equal(27.4693042760442, again.Psnr);
    }

    /// <summary>A flipped bit of any byte is noticed, or lies where it does not count: in no case a value comes back that was not written.</summary>
    [Fact]
    public void TryRead_AnyBitFlipped_NeverGivesAnotherValue()
    {
        ResultCache cache = new(_folder);
        double[] written = [27.4693042760442, -1248.6822994074262, double.PositiveInfinity];
        cache.Write(Key, written);
        string path = cache.PathOf(Key);
        byte[] good = File.ReadAllBytes(path);
        int refused = 0;
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(path, bad);
            if (cache.TryRead(Key, out double[] read))
                Assert.Equal(written, read);
            else
                refused++;
        }

        // All but the copy of the key's hash, which is computed and not believed.
        Assert.InRange(refused, good.Length - 80, good.Length);
    }

    [Fact]
    public void TryRead_RecordThatLacksAPart_ComputesAnew()
    {
        ResultCache cache = new(_folder);
        // Well stored, but by a program whose records had other parts.
        cache.Write(
            Key,
            new
            {
                Prompt = "a cat",
                Label = (string?)null,
                Png = Array.Empty<byte>(),
                DistanceToSource = 0.5,
            }
        );
        Assert.False(cache.TryRead(Key, out EditRecord _));
        cache.Write(Key, new { Prompt = "a cat" });
        Assert.False(cache.TryRead(Key, out EditRecord _));
    }
}
