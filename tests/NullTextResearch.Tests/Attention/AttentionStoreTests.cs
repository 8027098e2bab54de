using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using TorchSharp;
using Xunit;
using static NullTextResearch.TestKit.TensorAssert;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Attention;

public sealed class AttentionStoreTests
{
    private static readonly AttentionSite Site = new("site", UNetStage.Up, 0, 0, AttentionKind.Cross, 0, 2);

    [Fact]
    public void Record_TwoSteps_SumsAndCounts()
    {
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        Tensor a = rand([1, 2, 4, 3]),
            b = rand([1, 2, 4, 3]);
        store.Record(new AttentionCall(Site, 0, 2, 2, BatchLayout.Sources(1)), a);
        store.Record(new AttentionCall(Site, 1, 2, 2, BatchLayout.Sources(1)), b);
        StoredMap map = Assert.Single(store.Maps);
        Assert.Equal(2, map.Steps);
        Assert.True(MaxDifference(a.Plus(b), map.Sum) < 1e-7);
        Assert.True(MaxDifference(a.Plus(b).Over(2).mean([1L]).view(2, 2, 3), store.AverageMaps()) < 1e-6);
    }

    [Fact]
    public void AverageMap_Word_HasMaximumOne()
    {
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        store.Record(
            new AttentionCall(Site, 0, 2, 2, BatchLayout.Sources(1)),
            tensor([0.1f, 0.2f, 0.7f, 0.3f, 0.3f, 0.4f, 0.8f, 0.1f, 0.1f, 0f, 0.5f, 0.5f], [1, 1, 4, 3])
        );
        float[] expected = [0.2f / 0.5f, 0.6f, 0.2f, 1];
        Assert.True(MaxDifference(tensor(expected, [2, 2]), store.AverageMap([1])) < 1e-6);
        Assert.True(MaxDifference(tensor([1f, 0.7f / 0.9f, 0.2f / 0.9f, 1f / 0.9f], [2, 2]).Over(1f / 0.9f), store.AverageMap([1, 2])) < 1e-6);
        Assert.Throws<ArgumentOutOfRangeException>(() => store.AverageMap([3]));
        Assert.Throws<ArgumentException>(() => store.AverageMap([]));
        Assert.Throws<ArgumentOutOfRangeException>(() => store.AverageMap([1], row: 1));
    }

    [Theory]
    [InlineData(AttentionKind.Cross, 32, true)]
    [InlineData(AttentionKind.Cross, 33, false)]
    [InlineData(AttentionKind.Self, 8, false)]
    public void Wants_Defaults_TakeSmallCrossMaps(AttentionKind kind, int side, bool wanted)
    {
        using AttentionStore store = new();
        Assert.Equal(wanted, store.Wants(new AttentionCall(Site with { Kind = kind, OwnSide = side }, 0, side, side, BatchLayout.Sources(1))));
    }

    [Fact]
    public void Wants_LimitAndCondition_BothHold()
    {
        using AttentionStore store = new(new AttentionStoreOptions { MaxSide = 16, Site = s => s.Stage == UNetStage.Up });
        Assert.True(store.Wants(new AttentionCall(Site with { OwnSide = 16 }, 0, 16, 16, BatchLayout.Sources(1))));
        Assert.False(store.Wants(new AttentionCall(Site with { OwnSide = 17 }, 0, 17, 17, BatchLayout.Sources(1))));
        Assert.False(store.Wants(new AttentionCall(Site with { OwnSide = 16, Stage = UNetStage.Down }, 0, 16, 16, BatchLayout.Sources(1))));
    }

    [Fact]
    public void Record_WideMapOfTwoPrompts_KeepsItsSidesAndRows()
    {
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        Tensor map = rand([2, 2, 6, 3]);
        store.Record(new AttentionCall(Site, 0, 2, 3, BatchLayout.Sources(1)), map);
        Assert.Equal((2, 3), (store.Maps[0].Height, store.Maps[0].Width));
        for (int row = 0; row < 2; row++)
        {
            Tensor expected = map[row].mean([0L]).view(2, 3, 3);
            Assert.True(MaxDifference(expected, store.AverageMaps(row: row)) < 1e-6);
            Assert.True(MaxDifference(expected.select(2, 1).div(expected.select(2, 1).max()), store.AverageMap([1], row: row)) < 1e-6);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Record_HalfPrecision_SumsInSingle(ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        // A sum in 16 bits would stop growing where the next map is below half its last digit.
        Tensor map = Constants.Full([1, 1, 1, 2], 0.5, dtype);
        for (int step = 0; step < 5000; step++)
            store.Record(new AttentionCall(Site, step, 1, 1, BatchLayout.Sources(1)), map);
        Assert.Equal(2500, store.Maps[0].Sum[0, 0, 0, 1].to(ScalarType.Float64).item<double>());
    }

    [Theory]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    public void Attend_HalfPrecision_ShowsMapsThatSumToOneInSingle(ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(2);
        Tensor Draw() => randn([1, 2, 6, 8], generator: generator).to(dtype);
        Tensor? seen = null;
        Tensor result = new MapHook((_, map) => seen = map.alias().MoveToOuterDisposeScope()).Attend(
            new AttentionCall(Site, 0, 2, 3, BatchLayout.Sources(1)),
            Draw(),
            Draw(),
            Draw()
        );
        Assert.Equal(dtype, result.dtype);
        Assert.Equal(ScalarType.Float32, seen!.dtype);
        Assert.True(MaxDifference(seen.sum(-1), ones([1, 2, 6])) < 1e-6);
    }

    [Fact]
    public void Default_LayersOfSeveralKinds_AreTheOuterCrossLayersOf16()
    {
        using DisposeScope scope = NewDisposeScope();
        (UNetStage Stage, AttentionKind Kind, int Side)[] layers =
        [
            (UNetStage.Down, AttentionKind.Cross, 32),
            (UNetStage.Down, AttentionKind.Self, 16),
            (UNetStage.Down, AttentionKind.Cross, 16),
            (UNetStage.Down, AttentionKind.Cross, 8),
            (UNetStage.Mid, AttentionKind.Cross, 16),
            (UNetStage.Up, AttentionKind.Cross, 8),
            (UNetStage.Up, AttentionKind.Cross, 16),
            (UNetStage.Up, AttentionKind.Cross, 32),
        ];
        StoredMap[] maps =
        [
            .. layers.Select((l, i) => new StoredMap(Site with { Stage = l.Stage, Kind = l.Kind, Order = i, OwnSide = l.Side }, l.Side, l.Side, empty(0), 1)),
        ];
        Assert.Equal([2, 6], MapSelection.Default.From(maps).Select(m => m.Site.Order));
        Assert.Equal([4], MapSelection.Default.From([maps[4]]).Select(m => m.Site.Order));
        Assert.Equal([0, 7], MapSelection.Where("of 32", m => m.Height == 32).From(maps).Select(m => m.Site.Order));
    }

    [Theory]
    [InlineData(16, 20)]
    [InlineData(20, 16)]
    public void From_LayersThatDifferInOneSide_AreRefused(int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        StoredMap[] maps = [new StoredMap(Site, 16, 16, empty(0), 1), new StoredMap(Site with { Order = 1 }, height, width, empty(0), 1)];
        Assert.Contains($"{height} x {width}", Assert.Throws<InvalidOperationException>(() => MapSelection.Where("any", _ => true).From(maps)).Message);
    }

    [Fact]
    public void TouchesUnconditional_OfTheWatcher_IsFalse_AndTrueOfAnythingThatDoesNotSay()
    {
        using AttentionStore store = new();
        Assert.False(new StoringAttention(store).TouchesUnconditional);
        Assert.True(((INetworkHook)ExplicitAttention.Instance).TouchesUnconditional);
    }

    [Fact]
    public void Default_StableDiffusionAt512_SelectsThePublishedFiveLayers()
    {
        using DisposeScope scope = NewDisposeScope();
        (UNetStage Stage, int Side)[] layers =
        [
            (UNetStage.Down, 32),
            (UNetStage.Down, 32),
            (UNetStage.Down, 16),
            (UNetStage.Down, 16),
            (UNetStage.Mid, 8),
            (UNetStage.Up, 16),
            (UNetStage.Up, 16),
            (UNetStage.Up, 16),
            (UNetStage.Up, 32),
            (UNetStage.Up, 32),
            (UNetStage.Up, 32),
        ];
        StoredMap[] maps = [.. layers.Select((l, i) => new StoredMap(Site with { Stage = l.Stage, Order = i, OwnSide = l.Side }, l.Side, l.Side, empty(0), 1))];
        int[] published = [.. MapSelection.PublishedSlices.From(maps).Select(m => m.Site.Order)];
        Assert.Equal([2, 3, 5, 6, 7], published);
        Assert.Equal(published, MapSelection.Default.From(maps).Select(m => m.Site.Order));
        Assert.All(MapSelection.CoarsestWithSide(99).From(maps), m => Assert.Equal(32, m.Height));
        Assert.Throws<InvalidOperationException>(() => MapSelection.Where("any", _ => true).From(maps));
        Assert.Throws<InvalidOperationException>(() => MapSelection.Default.From([]));
    }

    [Fact]
    public void Attend_Storing_ChangesNothingAndReadsTheConditionalHalf()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        InversionResult inversion = lab.Inverted("a cat on a mat");
        using AttentionStore store = new(new AttentionStoreOptions { Self = true });
        Tensor plain = Sampler.Run(lab.Predictor(FusedAttention.Instance), lab.Grid, inversion.Plan);
        Tensor watched = Sampler.Run(lab.Predictor(new StoringAttention(store)), lab.Grid, inversion.Plan);
        Assert.True(MaxDifference(plain, watched) < 1e-11);
        Assert.Equal(lab.UNet.Sites.Select(s => s.Path), store.Maps.Select(m => m.Site.Path));
        Assert.All(
            store.Maps,
            m =>
            {
                Assert.Equal(1, m.Sum.shape[0]);
                Assert.True(MaxDifference(m.Sum.sum(-1), Constants.Full(m.Sum.sum(-1), lab.Grid.Steps)) < 1e-10);
            }
        );
        using AttentionStore conditionalOnly = new();
        Sampler.Run(lab.Predictor(new StoringAttention(conditionalOnly)), lab.Grid, inversion.Plan with { GuidanceScale = 1, Unconditional = null });
        using AttentionStore firstGuided = new();
        INetworkHook guided = new StoringAttention(firstGuided);
        Sampler.Predict(lab.Predictor(guided), inversion.Plan, lab.Grid.Moves[0], inversion.StartLatents);
        using AttentionStore firstPlain = new();
        Sampler.Predict(lab.Predictor(new StoringAttention(firstPlain)), inversion.Plan with { GuidanceScale = 1 }, lab.Grid.Moves[0], inversion.StartLatents);
        Assert.True(MaxDifference(firstGuided.Maps[0].Sum, firstPlain.Maps[0].Sum) < 1e-12);
    }

    [Fact]
    public void Attend_WrongBatch_SaysWhatWasExpected()
    {
        using EditingLab lab = new();
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        InversionResult inversion = lab.Inverted("a cat");
        Conditioning mixed = new(cat([inversion.Conditional.At(0).Tokens, inversion.Unconditional.At(0).Tokens], 0))
        {
            Rows = new BatchLayout([new BatchRow(0, 0), new BatchRow(0, 0, IsConditional: false)]),
        };
        Tensor latents = cat([inversion.StartLatents, inversion.StartLatents], 0);
        ArgumentException error = Assert.Throws<ArgumentException>(() => lab.Predictor(new StoringAttention(store)).Predict(latents, lab.Grid.Moves[0], mixed));
        Assert.Contains("0.0 -0.0", error.Message, StringComparison.Ordinal);
    }
}
