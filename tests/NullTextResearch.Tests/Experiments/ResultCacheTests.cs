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
            Key, Key with { Experiment = "bound" }, Key with { ImageHash = "other" }, Key with { Prompt = "a dog on the beach" },
            Key with { ModelFingerprint = "finetuned" }, Key with { OptionsJson = "{\"w\":2}" }, Key with { AlgorithmVersion = 2 },
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
}
