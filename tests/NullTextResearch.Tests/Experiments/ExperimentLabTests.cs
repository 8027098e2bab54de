using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using TorchSharp;
using Xunit;

namespace NullTextResearch.Tests.Experiments;

/// <summary>The experiments on the embedded model, as small as they go.</summary>
public sealed class ExperimentLabTests : IDisposable
{
    private static readonly ExperimentSettings Tiny = new()
    {
        Steps = 3,
        InnerSteps = [1, 2],
        GlobalPasses = [1, 2],
        InversionGuidance = [1, 4],
        Strengths = [0.5],
        Factors = [1, 4],
        CrossReplace = 1,
        SelfReplace = 1,
    };

    private static readonly Lazy<StableDiffusion> Mini = new(() => StableDiffusion.LoadMini());
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-lab-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ExperimentLab Lab(ExperimentSettings? settings = null, int images = 2, string fingerprint = "mini") =>
        new(Mini.Value, ExperimentImages.Toy(images, Mini.Value.ImageSize), settings ?? Tiny, new ResultCache(_folder), fingerprint);

    [Fact]
    public void Run_SecondTime_ReadsEverything()
    {
        using (ExperimentLab first = Lab())
        {
            GuidanceSweep.Run(first);
            Assert.Equal(4, first.Cache.Written);
            Assert.True(first.Evaluations > 0);
        }
        using ExperimentLab second = Lab();
        IReadOnlyList<IReadOnlyList<GuidanceRecord>> again = GuidanceSweep.Run(second);
        Assert.Equal((0, 4, 0L), (second.Cache.Written, second.Cache.Found, second.Evaluations));
        Assert.All(again.SelectMany(r => r), r => Assert.True(double.IsFinite(r.PsnrSampling)));
    }

    [Fact]
    public void Claims_TwoScenes_AreSixOrders_OfWhichThreeForEachNumberOfRows()
    {
        List<string> told = [];
        IReadOnlyList<ClaimRow> rows = ClaimStudy.Run(
            Mini.Value,
            2,
            [null, 3],
            Tiny,
            new ResultCache(_folder),
            log: told.Add,
            cancellation: TestContext.Current.CancellationToken
        );
        Assert.Equal(18, rows.Count);
        Assert.Equal(4, rows.Count(r => r.Variant.StartsWith("3 rows", StringComparison.Ordinal)));
        Assert.All(rows, r => Assert.True(r.Difference.Count == 2 && double.IsFinite(r.Difference.Mean) && r.Difference.Margin >= 0, r.Claim));
        Assert.Equal(told, ClaimStudy.ToMarkdown(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries)[2..]);
        // Three rows are less freedom than all.
        ClaimRow[] pivots = [.. rows.Where(r => r.Claim.StartsWith("random pivot", StringComparison.Ordinal))];
        Assert.NotEqual(pivots[0].Difference, pivots[1].Difference);
        // So is another learning rate another result, although only that differs, and another start.
        ClaimRow[] textual = [.. rows.Where(r => r.Claim.StartsWith("textual inversion rises", StringComparison.Ordinal))];
        Assert.Equal(3, textual.Select(r => r.Difference).Distinct().Count());
    }

    [Theory]
    [InlineData("3 1 2 4", "3 0", "1 2")]
    [InlineData("1 3 2", "1", "0 2")]
    [InlineData("5", "", "0")]
    public void Halves_TheUpperHalfComesFirst(string values, string best, string rest)
    {
        (int[] upper, int[] lower) = ClaimStudy.Halves([.. values.Split(' ').Select(v => double.Parse(v, System.Globalization.CultureInfo.InvariantCulture))]);
        Assert.Equal((best, rest), (string.Join(' ', upper), string.Join(' ', lower)));
    }

    [Fact]
    public void FromPivot_WithoutMoves_IsWhatSdEditIs_AndOtherwiseStaysNearer()
    {
        using ExperimentLab lab = Lab(Tiny with { Strengths = [0, 0.5] }, images: 1);
        SdEditRecord fresh = SdEditExperiment.Run(lab)[0];
        IReadOnlyList<SdEditPoint> pivot = SdEditExperiment.FromPivot(lab)[0];
        Assert.Equal(fresh.WithNullText[0].Png, pivot[0].Png);
        Assert.Equal(fresh.Plain[0].Png, pivot[0].Png);
        Assert.True(pivot[1].DistanceToSource < fresh.WithNullText[1].DistanceToSource);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    public void Validate_RateThatIsNotPositive_IsRefused(double rate) =>
        Assert.Contains("UnpivotedRate", Assert.Throws<ArgumentException>(() => (Tiny with { UnpivotedRate = rate }).Validate()).Message);

    [Fact]
    public void Run_Cancelled_GoesOnWhereItStopped()
    {
        using CancellationTokenSource stop = new();
        using (ExperimentLab first = Lab(Tiny with { BatchSize = 1 }))
        {
            first.Cancellation = stop.Token;
            first.Progress = new Direct(p =>
            {
                // In the middle of the second image.
                if (p.Evaluations > 10 && first.Cache.Written == 1)
                    stop.Cancel();
            });
            Assert.Throws<OperationCanceledException>(() => Reconstruction.Run(first, ReconstructionMethod.Ddim, []));
            Assert.Equal(1, first.Cache.Written);
        }
        using ExperimentLab second = Lab(Tiny with { BatchSize = 1 });
        Reconstruction.Run(second, ReconstructionMethod.Ddim, []);
        Assert.Equal((1, 1), (second.Cache.Found, second.Cache.Written));
    }

    [Fact]
    public void Run_OtherModelOrSettings_ComputesAnew()
    {
        using ExperimentLab first = Lab(images: 1),
            otherModel = Lab(images: 1, fingerprint: "other"),
            otherSteps = Lab(Tiny with { Steps = 2 }, images: 1);
        foreach (ExperimentLab lab in (ExperimentLab[])[first, otherModel, otherSteps])
        {
            Reconstruction.Run(lab, ReconstructionMethod.Ddim, []);
            Assert.Equal(1, lab.Cache.Written);
        }
    }

    [Fact]
    public void Run_AnyTimeVariant_GivesEveryCountFromOneRun()
    {
        using ExperimentLab lab = Lab(images: 1);
        IReadOnlyList<IReadOnlyList<ReconstructionRecord>> curve = Reconstruction.Run(lab, ReconstructionMethod.GlobalNullText, [1, 2]);
        Assert.Equal([1, 2], curve.Select(c => c[0].InnerSteps));
        Assert.Equal([3.0, 6.0], curve.Select(c => c[0].Backwards));
    }

    [Fact]
    public void Run_OneImageOrTwo_GivesAnImageTheSameNumbers()
    {
        using ExperimentLab two = Lab();
        double[] together = [.. Reconstruction.Run(two, ReconstructionMethod.RandomPivot, [1])[0].Select(r => r.Psnr)];
        using ExperimentLab single = Lab(Tiny with { BatchSize = 1 }, fingerprint: "computed again");
        double[] alone = [.. Reconstruction.Run(single, ReconstructionMethod.RandomPivot, [1])[0].Select(r => r.Psnr)];
        Assert.Equal(together[0], alone[0], 0.05);
        Assert.Equal(together[1], alone[1], 0.05);
        using ExperimentLab shared = new(Mini.Value, two.Images, Tiny, new ResultCache(_folder), "on two threads") { Workers = 2 };
        double[] onThreads = [.. Reconstruction.Run(shared, ReconstructionMethod.RandomPivot, [1])[0].Select(r => r.Psnr)];
        Assert.Equal(2, shared.Cache.Written);
        Assert.Equal(alone[0], onThreads[0], 0.05);
        Assert.Equal(alone[1], onThreads[1], 0.05);
    }

    [Fact]
    public void Run_FolderOfManyShapes_KeepsEachInBatchesOfOneSize()
    {
        string folder = Path.Combine(_folder, "pictures");
        Directory.CreateDirectory(folder);
        RgbImage toy = ExperimentImages.Toy(1, 64)[0].Image;
        PixelSize[] sizes = [new(96, 48), new(40, 60), new(192, 96)];
        for (int i = 0; i < sizes.Length; i++)
        {
            ImageFile.SavePng(new ImagePreparation { Size = sizes[i], CentreCut = false }.Apply(toy), Path.Combine(folder, $"{i}.png"));
            File.WriteAllText(Path.Combine(folder, $"{i}.txt"), "a big house in the snow\na big house in the city\n");
        }

        IReadOnlyList<ExperimentImage> images = ExperimentImages.FromFolder(folder, Mini.Value.Sizes, sizing: ImageSizing.Keep);
        PixelSize[] kept = [new(92, 44), new(52, 80), new(92, 44)];
        Assert.Equal(kept, images.Select(i => PixelSize.Of(i.Image)));
        using ExperimentLab lab = new(Mini.Value, images, Tiny, new ResultCache(_folder), "shapes");
        Assert.Equal(kept, Reconstruction.Run(lab, ReconstructionMethod.Ddim, [])[0].Select(r => PixelSize.Of(r.Image())));
        Assert.Equal(kept.Select(k => (k.Height / 4, k.Width / 4)), AttentionExperiment.Run(lab).Select(r => (r.Height, r.Width)));
        Assert.All(ExperimentImages.FromFolder(folder, Mini.Value.Sizes), i => Assert.Equal(new PixelSize(64, 64), PixelSize.Of(i.Image)));
    }

    [Fact]
    public void Gallery_ToyScene_KnowsTheTruthOfEveryEdit()
    {
        using ExperimentLab lab = Lab(images: 1);
        GalleryRecord record = EditExperiments.Gallery(lab)[0];
        Assert.Equal(lab.Images[0].Edits.Select(e => e.Prompt), record.Edits.Select(e => e.Prompt));
        Assert.All(record.Edits, e => Assert.NotNull(e.PsnrToTruth));
        Assert.Equal(lab.Model.Sizes.OwnSide, record.Edits[0].Image().Width);
    }

    [Fact]
    public void Fader_FactorOne_ChangesLessThanFour()
    {
        using ExperimentLab lab = Lab(images: 1);
        FaderRecord record = EditExperiments.Fader(lab)[0];
        Assert.Contains(record.Word, lab.Images[0].Caption.Split(' '));
        RgbImage[] images = [.. record.Edits.Select(e => e.Image())];
        GalleryRecord plain = EditExperiments.Gallery(lab)[0];
        RgbImage source = ImageFile.Decode(plain.ReconstructionPng);
        Assert.True(MultiScaleDistance.Of(source, images[0]) < MultiScaleDistance.Of(source, images[1]));
    }

    [Fact]
    public void SdEditAndMaps_Run_GiveOnePointPerStrengthAndOneMapPerWord()
    {
        using ExperimentLab lab = Lab(images: 1);
        SdEditRecord edit = SdEditExperiment.Run(lab)[0];
        Assert.Equal([0.5], edit.WithNullText.Select(p => p.Strength));
        AttentionRecord maps = AttentionExperiment.Run(lab)[0];
        Assert.Equal(lab.Images[0].Caption.Split(' '), maps.NullText.Select(m => m.Word));
        Assert.All(maps.NullText, m => Assert.Equal(1f, m.Values.Max(), 1e-4f));
        Assert.All(maps.NullText, m => Assert.Equal(maps.Height * maps.Width, m.Values.Length));
    }

    [Fact]
    public void Dispose_AfterRuns_LeavesNoTensor()
    {
        using (ExperimentLab warm = Lab(images: 1))
            AttentionExperiment.Run(warm);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (ExperimentLab lab = Lab(images: 1, fingerprint: "again"))
        {
            AttentionExperiment.Run(lab);
            Reconstruction.Run(lab, ReconstructionMethod.NullText, [1, 2]);
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    /// <summary>The costs of the catalogue are the work that is done; what a method does not depend on is not computed again.</summary>
    [Theory]
    [MemberData(nameof(Methods))]
    public void Run_AnyMethod_DoesTheWorkThatIsStated(ReconstructionMethod method)
    {
        ExperimentSettings settings = Tiny with { Steps = 4, InnerSteps = [1, 3], GlobalPasses = [1, 2, 3] };
        using ExperimentLab lab = Lab(settings, images: 1);
        double done = 0;
        foreach (int[] counts in new int[][] { [1, 3], [2] })
        {
            Reconstruction.Run(lab, method, counts);
            Assert.Equal(Reconstruction.Optimises(method) || done == 0 ? Reconstruction.WorkOf(settings.Steps, method, counts) : 0, lab.Work - done);
            done = lab.Work;
        }
    }

    /// <summary>All.</summary>
    public static TheoryData<ReconstructionMethod> Methods => [.. Enum.GetValues<ReconstructionMethod>()];

    private sealed class Direct(Action<ExperimentProgress> report) : IProgress<ExperimentProgress>
    {
        public void Report(ExperimentProgress value) => report(value);
    }
}
