using NullTextResearch.Benchmarks;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

/// <summary>The comparison of null-text optimisers by cost and quality.</summary>
public sealed class NullTextCostTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-cost-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ExperimentLab Lab(StableDiffusion model, ToyEditDataset dataset) =>
        new(model, NullTextCost.Images(dataset), ExperimentSettings.Quick with { Steps = 3, BatchSize = 1 }, new ResultCache(_folder), "mini");

    [Fact]
    public void Run_CountsTheCost_AndASecondRunComputesNothing()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        ToyEditDataset dataset = new(2, model.ImageSize);
        NullTextVariant[] variants =
        [
            new("two", NullTextOptions.Default with { InnerSteps = 2, StopEarly = false }),
            new("none", NullTextOptions.Default with { Optimiser = NullTextOptimiser.LineSearch, InnerSteps = 0 }),
        ];
        EverySecond judge = new();
        using ExperimentLab lab = Lab(model, dataset);
        IReadOnlyList<NullTextCostRow> rows = NullTextCost.Run(lab, dataset, judge, variants);
        // T for the pivot, T for the prompt, then N T forward and backward and T to advance; without optimisation T for the empty prompt.
        Assert.All(rows[0].Records, r => Assert.Equal((15.0, 6.0, 27.0), (r.Forwards, r.Backwards, r.Cost)));
        Assert.All(rows[1].Records, r => Assert.Equal((9.0, 0.0, 9.0), (r.Forwards, r.Backwards, r.Cost)));
        Assert.Equal(9 / 27.0, rows[1].ShareOf(rows[0]), 1e-12);
        Assert.All(rows[0].Records, r => Assert.Equal((3, 3), (r.FirstLosses.Count, r.Losses.Count)));
        Assert.All(rows.SelectMany(r => r.Records), r => Assert.True(r.SourcePsnr < r.PivotPsnr + 40 && r.SourcePsnr > 0));
        Assert.NotEqual(0, rows[0].PivotAbove(rows[1]).Mean);
        Assert.Equal(0.5, rows[0].Success.Value);
        Assert.Equal(4, lab.Cache.Written);
        using ExperimentLab again = Lab(model, dataset);
        IReadOnlyList<NullTextCostRow> read = NullTextCost.Run(again, dataset, judge, variants);
        Assert.Equal(0, again.Cache.Written);
        Assert.Equal(NullTextCost.Cells(rows[1], rows[0]), NullTextCost.Cells(read[1], read[0]));
        Assert.Equal(NullTextCost.Columns.Count, NullTextCost.Cells(read[1], read[0]).Count);
    }

    [Fact]
    public void Residuals_AreTheDistanceOfThePredictionThatWasMissed()
    {
        // The null text's prediction misses by 0.3 everywhere; the step carries that into the latents, whose mean square is the loss.
        using StableDiffusion model = StableDiffusion.LoadMini();
        TimestepGrid grid = model.Grid(4);
        double[] losses =
        [
            .. grid.Moves.Select(move =>
            {
                using TorchSharp.DisposeScope scope = TorchSharp.torch.NewDisposeScope();
                TorchSharp.torch.Tensor latents = TorchSharp.torch.randn(1, 4, 2, 2),
                    conditional = TorchSharp.torch.randn(1, 4, 2, 2),
                    exact = TorchSharp.torch.randn(1, 4, 2, 2);
                TorchSharp.torch.Tensor Moved(TorchSharp.torch.Tensor own) =>
                    Ddim.Move(latents, Guidance.Combine(own, conditional, 7.5), move.Noisy, move.Clean);
                return Moved(exact.Plus(0.3)).sub(Moved(exact)).Squared().mean().item<float>();
            }),
        ];
        Assert.All(NullTextCost.Residuals([losses], grid, 7.5), r => Assert.Equal(0.3, r, 1e-4));
        Assert.Contains("no influence", Assert.Throws<ArgumentException>(() => NullTextCost.Residuals([losses], grid, 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => NullTextCost.Residuals([], grid, 7.5));
    }

    [Fact]
    public void First_KeepsTheFirstImages()
    {
        NullTextCostRecord Of(double psnr) => new(1, 0, 1, psnr, 40, 20, true, [0.2], [0.1]);
        NullTextCostRow row = new(NullTextVariant.Released, [Of(30), Of(20), Of(10)]);
        Assert.Equal([30.0, 20.0], row.First(2).Records.Select(r => r.SourcePsnr));
        Assert.Equal(0, row.First(2).SourceAbove(row.First(2)).Mean);
        Assert.Throws<ArgumentOutOfRangeException>(() => row.First(4));
        Assert.Throws<ArgumentException>(() => row.First(2).SourceAbove(row));
    }

    [Fact]
    public void Run_ImagesOfAnotherDataSet_AreRefused()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        using ExperimentLab lab = Lab(model, new ToyEditDataset(2, model.ImageSize));
        ArgumentException error = Assert.Throws<ArgumentException>(() => NullTextCost.Run(lab, new ToyEditDataset(3, model.ImageSize)));
        Assert.Contains("2 images that are not the 3 scenes of the data set", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Variants_AreValidAndDifferent()
    {
        Assert.All(NullTextVariant.All.Append(NullTextVariant.Furthest), v => v.Options.Validate());
        Assert.Equal(NullTextVariant.All.Count, NullTextVariant.All.Select(v => v.Options).Distinct().Count());
        Assert.Equal(NullTextVariant.All.Count, NullTextVariant.All.Select(v => v.Name).Distinct().Count());
        Assert.Equal((NullTextOptions.Default, NullTextOptions.Fast), (NullTextVariant.All[0].Options, NullTextVariant.Fast.Options));
    }

    /// <summary>Every second edit succeeds.</summary>
    private sealed class EverySecond : IEditJudge
    {
        public string Id => "every second";

        public bool? Judge(EditTask task, RgbImage edited) => task.Id.StartsWith("000", StringComparison.Ordinal);
    }
}
