using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Perception;

/// <summary>What every metric of the catalogue obeys.</summary>
[LeavesNoTensors]
public sealed class MetricLawsTests
{
    private const int Width = 72,
        Height = 56;

    public static TheoryData<string> Every => [.. MetricCatalogue.All.Select(m => m.Id)];

    public static TheoryData<string> Comparing => [.. MetricCatalogue.All.Where(m => m.Needs.HasFlag(MetricNeeds.Reference)).Select(m => m.Id)];

    public static TheoryData<string> Masked => [.. MetricCatalogue.All.Where(m => m.Needs.HasFlag(MetricNeeds.Mask)).Select(m => m.Id)];

    public static TheoryData<string> WithWeights => [.. MetricCatalogue.All.Where(m => m.Network is not null).Select(m => m.Id)];

    [Fact]
    public void Metrics_AllOfTheLibrary_AreListed()
    {
        IEnumerable<string> known = typeof(Psnr)
            .Assembly.GetExportedTypes()
            .Where(t => t.Namespace is "NullTextResearch.Metrics" or "NullTextResearch.Perception")
            .Where(t => t.GetMethods().Any(m => m.ReturnType == typeof(double) && m.GetParameters().Any(p => p.ParameterType == typeof(RgbImage))))
            .Select(t => t.Name);
        Assert.Equal(known.Order(), MetricCatalogue.All.Select(m => m.Implementation.Name).Distinct().Order());
        Assert.Equal(MetricCatalogue.All.Count, MetricCatalogue.All.Select(m => m.Id).Distinct().Count());
        Assert.Contains("ms-ssim", Assert.Throws<ArgumentException>(() => MetricCatalogue.Find("msssim")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Measure_AnyPictures_IsWithinTheRange_AndTheSameAgain(string id)
    {
        using MetricNetworks networks = Networks();
        Metric metric = MetricCatalogue.Find(id);
        for (int seed = 0; seed < 3; seed++)
        {
            double value = metric.Measure(Input(seed), networks);
            Assert.InRange(value, metric.Least, metric.Most);
            Assert.Equal(value, metric.Measure(Input(seed), networks));
        }
        RgbImage black = new(Width, Height, new byte[Width * Height * 3]),
            white = new(Width, Height, [.. Enumerable.Repeat((byte)255, Width * Height * 3)]);
        Assert.InRange(metric.Measure(Input(0) with { Image = black, Reference = white }, networks), metric.Least, metric.Most);
    }

    [Theory]
    [MemberData(nameof(Comparing))]
    public void Measure_EqualPictures_IsPerfect_OthersAreWorse_WhicheverComesFirst(string id)
    {
        using MetricNetworks networks = Networks();
        Metric metric = MetricCatalogue.Find(id);
        MetricInput input = Input(1);
        double value = metric.Measure(input, networks);
        if (metric.IsSymmetric)
            Assert.Equal(value, metric.Measure(input with { Image = input.Reference!, Reference = input.Image }, networks), 1e-5);
        if (double.IsNaN(metric.Perfect))
            return;
        foreach (MaskedMode mode in Enum.GetValues<MaskedMode>())
            Assert.Equal(metric.Perfect, metric.Measure(input with { Reference = input.Image, Mode = mode }, networks), 1e-5);
        Assert.True(metric.Direction == MetricDirection.Higher ? value < metric.Perfect : value > metric.Perfect, $"{value}");
    }

    /// <summary>CLIP prepares each picture for itself; all others compare pixel by pixel.</summary>
    [Theory]
    [MemberData(nameof(Comparing))]
    public void Measure_OtherSize_IsRefusedWithBothSizes(string id)
    {
        Metric metric = MetricCatalogue.Find(id);
        if (metric.Network == MetricNetwork.Clip)
            return;
        using MetricNetworks networks = Networks();
        MetricInput input = Input(0) with { Reference = PerceptionSamples.Noise(Width - 1, Height, 5) };
        string message = Assert.Throws<ArgumentException>(() => metric.Measure(input, networks)).Message;
        Assert.Contains($"{Width - 1}", message, StringComparison.Ordinal);
        Assert.Contains($"{Width}", message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Masked))]
    public void Measure_EmptyMask_IsNotANumber_AndHasModesSayWhetherTheyDiffer(string id)
    {
        using MetricNetworks networks = Networks();
        Metric metric = MetricCatalogue.Find(id);
        MetricInput input = Input(2);
        foreach (MaskedMode mode in Enum.GetValues<MaskedMode>())
            Assert.True(double.IsNaN(metric.Measure(input with { Mode = mode, Mask = RegionMask.Everything(Width, Height).Inverse() }, networks)));
        double corrected = metric.Measure(input, networks),
            official = metric.Measure(input with { Mode = MaskedMode.PieOfficial }, networks);
        Assert.Equal(metric.HasModes, Math.Abs(corrected - official) > 1e-6);
    }

    /// <summary>Only the pixels of the mask count. A feature of LPIPS sees more than its pixel, so the mode is the official one.</summary>
    [Theory]
    [MemberData(nameof(Masked))]
    public void Measure_ChangeOutsideTheMask_ChangesNothing(string id)
    {
        using MetricNetworks networks = Networks();
        Metric metric = MetricCatalogue.Find(id);
        MetricInput input = Input(2) with { Mode = MaskedMode.PieOfficial };
        byte[] changed = [.. input.Image.Rgb];
        for (int i = 0; i < Width * Height; i++)
        {
            if (!input.Mask![i])
                changed[3 * i] ^= 0x55;
        }
        Assert.Equal(metric.Measure(input, networks), metric.Measure(input with { Image = new RgbImage(Width, Height, changed) }, networks));
    }

    [Theory]
    [MemberData(nameof(WithWeights))]
    public void Measure_WithoutWeights_SaysSo(string id)
    {
        Metric metric = MetricCatalogue.Find(id);
        Assert.Equal("weights needed", metric.Missing(Input(0).Has, null));
        Assert.Contains("weights needed", Assert.Throws<ArgumentException>(() => metric.Measure(Input(0))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Measure_WithoutWhatItNeeds_SaysWhat(string id)
    {
        using MetricNetworks networks = Networks();
        Metric metric = MetricCatalogue.Find(id);
        MetricInput bare = new() { Image = Input(0).Image };
        string missing = metric.Missing(bare.Has, networks)!;
        Assert.StartsWith("needs a", missing, StringComparison.Ordinal);
        Assert.Contains(missing, Assert.Throws<ArgumentException>(() => metric.Measure(bare, networks)).Message, StringComparison.Ordinal);
        Assert.Null(metric.Missing(Input(0).Has, networks));
    }

    [Fact]
    public void Networks_FolderWithoutAny_IsRefused_WithSome_TellsWhich()
    {
        string folder = Directory.CreateTempSubdirectory("ntr-weights-").FullName;
        try
        {
            Assert.Contains("lpips/", Assert.Throws<ModelFormatException>(() => MetricNetworks.Open(folder)).Message, StringComparison.Ordinal);
            string lpips = Directory.CreateDirectory(Path.Combine(folder, "lpips")).FullName;
            using (LpipsModel model = LpipsTests.Fresh(LpipsBackbone.Squeeze))
            {
                PerceptionSamples.Write(
                    model.Weights,
                    Path.Combine(lpips, "squeeze.safetensors"),
                    key => key.StartsWith("lin", StringComparison.Ordinal) ? key : null
                );
            }
            using MetricNetworks networks = MetricNetworks.Open(folder);
            Assert.True(networks.Has(MetricNetwork.LpipsSqueeze));
            Assert.False(networks.Has(MetricNetwork.LpipsAlex));
            // Half of the files: the other half is named.
            string message = Assert.Throws<ModelFormatException>(() => MetricCatalogue.Find("lpips-squeeze").Measure(Input(0), networks)).Message;
            Assert.Contains("squeezenet1_1*.safetensors", message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static MetricNetworks Networks() =>
        new(
            Enum.GetValues<LpipsBackbone>().Select(b => new Lpips(LpipsTests.Fresh(b))),
            ClipSimilarityTests.Fresh(),
            new DinoStructure(DinoStructureTests.Model())
        );

    private static MetricInput Input(int seed) =>
        new()
        {
            Image = PerceptionSamples.Noise(Width, Height, 10 + seed),
            Reference = PerceptionSamples.Noise(Width, Height, 20 + seed),
            Mask = new RegionMask(Width, Height, [.. Enumerable.Range(0, Width * Height).Select(i => i % Width >= 30)]),
            Text = "a dog",
            ReferenceText = "a cat",
        };
}
