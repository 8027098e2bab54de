using System.Globalization;
using System.Text.Json;
using NullTextResearch.Benchmarks;
using NullTextResearch.Metrics;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public sealed class PieTableTests : IDisposable
{
    private static readonly StudyPlan Plan = StudyBench.Plan with
    {
        Methods = ["ddim"],
        Editors = ["prompt-to-prompt", "masactrl"],
        Metrics = ["masked-psnr", "masked-mse", "masked-ssim"],
        Mode = MaskedMode.PieOfficial,
    };

    private readonly StudyBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Of_Study_HasThePublishedColumnsInScaleWithNumbersOfPictures()
    {
        Study study = _bench.Study(Plan);
        _bench.Run(study, "a");
        StudyMerge merged = _bench.Merge(study, "a");
        PieTable table = PieTable.Of(Plan, merged);
        Assert.Equal(["prompt-to-prompt", "masactrl"], table.Rows.Select(r => r.First.Editor.Id));
        PieRow row = table.Rows[0];
        // Of four pictures one has a blend word that is in no prompt, and only one has a kept region.
        Assert.Equal((3, 1), (row.Done, row.Count(UnitStatus.Refused)));
        UnitRecord red = merged.Rows.Single(r => r.Unit is { Task.Id: "red", Editor.Id: "prompt-to-prompt" }).Record!;
        foreach ((int column, string score, double factor) in ((int, string, double)[])[(1, "psnr", 1), (3, "mse", 10_000), (4, "ssim", 100)])
        {
            KindScore mean = row.Mean(column)!;
            Assert.Equal((1, factor * red.Scores[$"source-outside-{score}"]), (mean.Count, mean.Mean.Value));
            Assert.Equal([("swap", 0), ("refine", 1)], row.ByKind(column)!.Select(k => (k.Kind, k.Count)));
        }
        foreach (int column in (int[])[0, 2, 5, 6])
            Assert.Null(row.Mean(column));

        IReadOnlyList<string> cells = table.ToTable().Rows[0];
        Assert.Equal(table.ToTable().Columns.Count, cells.Count);
        Assert.Equal(4, cells.Count(c => c == PieTable.WeightsNeeded));
        Assert.Equal(red.Scores["source-outside-psnr"].ToString("R", CultureInfo.InvariantCulture), cells[7 + 4]);
        Assert.All(table.KindsTable().Rows, r => Assert.Equal(table.KindsTable().Columns.Count, r.Count));
        Assert.Equal(2 + 2, table.KindsTable().Rows.Count);
        (StudyRow zebra, StudyRow other) = (table.LeftOut[0], table.LeftOut[1]);
        Assert.Equal(("zebra", "zebra"), (zebra.Unit.Task.Id, other.Unit.Task.Id));
        Assert.Contains("zebra", zebra.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Compared_HasTheRunsRowsAboveThePublishedOnes()
    {
        Study study = _bench.Study(Plan);
        _bench.Run(study, "a");
        PieTable table = PieTable.Of(Plan, _bench.Merge(study, "a"));
        StudyTable compared = table.Compared();
        Assert.Equal(
            ["method", "structure x 1000", "PSNR, dB", "LPIPS x 1000", "MSE x 10000", "SSIM x 100", "CLIP, whole", "CLIP, edited", "source"],
            compared.Columns
        );
        Assert.Equal(2 + PublishedResults.Pie.Count, compared.Rows.Count);
        Assert.All(compared.Rows, r => Assert.Equal(compared.Columns.Count, r.Count));
        Assert.Equal(["this run", "this run"], compared.Rows.Take(2).Select(r => r[^1]));
        Assert.Matches(@"^[0-9]+\.[0-9]{2} \(1\)$", compared.Rows[0][2]);
        Assert.Equal(PieTable.WeightsNeeded, compared.Rows[0][1]);
        Assert.Equal(["DDIM inversion + prompt-to-prompt", "69.43", "17.87", "208.80"], compared.Rows[2].Take(4));

        using JsonDocument json = JsonDocument.Parse(table.ToJson());
        JsonElement first = json.RootElement.GetProperty("rows")[0];
        Assert.Equal(1, first.GetProperty("means").GetProperty("masked-psnr").GetProperty("n").GetInt32());
        Assert.Equal(PieTable.WeightsNeeded, first.GetProperty("means").GetProperty("structure").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("leftOut").GetArrayLength());
        Assert.Equal(PublishedResults.Pie.Count, json.RootElement.GetProperty("published").GetArrayLength());
    }

    [Fact]
    public void Of_UnitsThatAreMissing_AreLeftOutAndCounted()
    {
        Study study = _bench.Study(Plan);
        foreach (string folder in (string[])["a", "b"])
            Directory.CreateDirectory(_bench.In(folder));
        _bench.Run(study, "a", new StudyShard(0, 2));
        _bench.Run(study, "b", new StudyShard(1, 2));
        PieRow[] rows = [.. ((string[])["a", "b"]).Select(f => PieTable.Of(Plan, _bench.Merge(study, f)).Rows[0])];
        // Two inversions: either they fall to both shards, or one of them has nothing.
        Assert.Equal(4, rows.Sum(r => r.Count(UnitStatus.Missing)));
        Assert.Equal(3, rows.Sum(r => r.Done));
    }
}
