using NullTextResearch.Figures;

namespace NullTextResearch.Interactive.Tests;

/// <summary>Methods of the catalogue side by side, on sd-mini.</summary>
[Collection(nameof(BenchCollection))]
public sealed class MethodComparisonTests(Bench bench) : IDisposable
{
    private static readonly ComparisonOptions Short = new() { Steps = 3, InnerSteps = 1 };

    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-compare-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Workbench Open() =>
        Workbench.Open(
            options: new WorkbenchOptions
            {
                Threads = 1,
                LoadPlotly = false,
                StaticCharts = false,
                CacheFolder = _folder,
            }
        );

    [Fact]
    public async Task Compare_NullForMethods_MeansTheRegisteredOnes()
    {
        // Names and objects are both possible, so that null alone would not say which.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            bench.Workbench.Compare(bench.Toy.Image, bench.Toy.Caption, null, cancellation: new CancellationToken(canceled: true))
        );
        using Workbench own = Open();
        await Assert.ThrowsAsync<ArgumentException>(() => own.Compare(bench.Toy.Image, bench.Toy.Caption, ["no such method"], options: Short));
    }

    [Fact]
    public async Task Compare_MethodsAndEditors_EqualsInvertAndEdit_AndComputesNothingTwice()
    {
        string[] methods = ["ddim", "npi@fixed-point", "gnri"],
            editors = ["prompt-to-prompt", "pix2pix-zero"];
        using Workbench own = Open();
        MethodComparison first = await own.Compare(bench.Toy, methods, bench.Target, editors, Short);

        using InvertedImage alone = await own.Invert(bench.Toy, new InvertOptions { Steps = 3, Method = Methods.Of("npi", path: "fixed-point") });
        using EditedImage edit = await own.Edit(alone, bench.Target);
        Assert.Equal(alone.Reconstruction, first.Inversion("npi@fixed-point").Reconstruction);
        Assert.Equal(alone.ReconstructionPsnr, first.Psnr("npi@fixed-point"));
        Assert.Equal(edit.Image, first.Edit("npi@fixed-point").Picture);
        Assert.Equal((15, 0), (first.Inversion("npi@fixed-point").Evaluations, first.Inversion("npi@fixed-point").Backwards));
        Assert.Equal((6, 3), (first.Inversion("gnri").Evaluations, first.Inversion("gnri").Backwards));
        // Its editor goes through the network backwards, once a step for both halves of guidance.
        Assert.Equal(6, first.Edit("ddim", "pix2pix-zero").Backwards);
        Assert.Equal(0, first.Edit("ddim").Backwards);

        int files = Directory.GetFiles(_folder).Length;
        using Workbench later = Open();
        MethodComparison second = await later.Compare(bench.Toy, methods, bench.Target, editors, Short);
        Assert.Equal(3 + (3 * 2), files);
        Assert.Equal(files, Directory.GetFiles(_folder).Length);
        // Times are the first run's to the last digit.
        Assert.Equal(first.Table().ToString(), second.Table().ToString());
        foreach (string method in methods)
        {
            Assert.Equal(first.Inversion(method).Seconds, second.Inversion(method).Seconds);
            Assert.All(editors, e => Assert.Equal(first.Edit(method, e).Seconds, second.Edit(method, e).Seconds));
        }
        // Another guidance scale is another result.
        MethodComparison other = await later.Compare(bench.Toy, ["ddim"], options: Short with { GuidanceScale = 2 });
        Assert.NotEqual(second.Psnr("ddim"), other.Psnr("ddim"));
        Assert.Equal(files + 1, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public async Task Compare_PairsThatDoNotGoTogether_AreShownWithTheReason_AndTheOthersAreDone()
    {
        using Workbench own = Open();
        MethodComparison compared = await own.Compare(bench.Toy, ["null-text@edict", "textual", "direct"], bench.Target, ["plug-and-play", "masactrl"], Short);

        Assert.Contains("own sampling rule", compared["null-text@edict"].Inversion.Reason);
        Assert.Contains("pivot", compared["textual"].Edits[0].Reason);
        Assert.Null(compared["textual"].Edits[1].Reason);
        Assert.NotNull(compared.Edit("direct", "plug-and-play"));
        ImageGrid grid = compared.Grid().Grid;
        Assert.Equal([null, MethodTable.NoPair], grid.Rows[0].Skip(1).Select(c => c?.Label));
        Assert.Equal(MethodTable.NoPair, grid.Rows[1][3]!.Label);
        TableData table = compared.Table().Table;
        Assert.Equal("note", table.Columns[^1]);
        Assert.Equal(table.Columns.Count, table.Columns.Distinct().Count());
        Assert.Equal(1 + 2 + 2, table.Rows.Count);
        Assert.Contains("own sampling rule", table.Rows[0][^1]);
        Assert.Contains("pivot", table.Rows[1][^1]);
        Assert.Equal(["", "", ""], table.Rows.Skip(2).Select(r => r[^1]));
        Assert.Equal(["null-text@edict", "textual with plug-and-play"], compared.Data.Notes()!.Rows.Select(r => r[0]));
        Assert.Contains("own sampling rule", compared.ToString());
        Assert.NotNull(compared.ToPng());
        Assert.Contains("<table", compared.ToHtml());
        Assert.Contains("textual", compared.Chart().Bundle.CsvText);

        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => compared.Edit("textual", "plug-and-play"));
        Assert.Contains("pivot", error.Message);
        Assert.Contains("null-text@edict, textual, direct", Assert.Throws<ArgumentException>(() => compared["edict"]).Message);
        Assert.Contains("plug-and-play, masactrl", Assert.Throws<ArgumentException>(() => compared.Edit("direct", "h-edit")).Message);
        // Reasons are kept like pictures.
        int files = Directory.GetFiles(_folder).Length;
        MethodComparison again = await own.Compare(bench.Toy, ["textual"], bench.Target, ["plug-and-play"], Short);
        Assert.Equal(compared["textual"].Edits[0].Reason, again["textual"].Edits[0].Reason);
        Assert.Equal(files, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public async Task Compare_WrongNames_AreRefusedBeforeAnyWork()
    {
        async Task<string> Refused(string[] methods, string? target = null, string[]? editors = null) =>
            (await Assert.ThrowsAsync<ArgumentException>(() => bench.Workbench.Compare(bench.Toy, methods, target, editors, Short))).Message;

        Assert.Contains("null-text", await Refused(["nul"]));
        Assert.Contains("fixed-point", await Refused(["null-text@fixed"]));
        Assert.Contains("METHOD@PATH", await Refused(["null-text@ddim@ddim"]));
        Assert.Contains("twice", await Refused(["ddim", "ddim"]));
        Assert.Contains("masactrl", await Refused(["ddim"], bench.Target, ["masa"]));
        Assert.Contains("at least one method", await Refused([]));
        Assert.Contains("target", await Refused(["ddim"], null, ["masactrl"]));
    }
}
