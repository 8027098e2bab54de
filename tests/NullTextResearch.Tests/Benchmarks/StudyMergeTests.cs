using NullTextResearch.Benchmarks;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public sealed class StudyMergeTests : IDisposable
{
    private readonly StudyBench _bench = new();

    [Fact]
    public void Merge_BeforeAllShards_ListsWhatIsMissing()
    {
        Study study = _bench.Study();
        int shard = Enumerable.Range(0, 2).First(i => study.Of(new StudyShard(i, 2)).Any(u => u.Refusal is null));
        _bench.Run(study, "a", new StudyShard(shard, 2));
        StudyMerge merged = _bench.Merge(study, "a");
        string[] expected = [.. study.Of(new StudyShard(1 - shard, 2)).Where(u => u.Refusal is null).Select(u => u.Slot)];
        Assert.Equal(expected, merged.Missing.Select(u => u.Slot));
        Assert.Equal(expected.Length == 0, merged.IsComplete);
        Assert.Equal(StudyBench.Units, merged.Table().Rows.Count);
        Assert.Equal(StudyBench.Units, merged.Done + merged.Refused + merged.Missing.Count);
    }

    [Fact]
    public void Merge_Tables_HaveARowPerUnitInTheOrderOfTheStudy()
    {
        Study study = _bench.Study();
        _bench.Run(study, "a");
        StudyMerge merged = _bench.Merge(study, "a");
        StudyTable table = merged.Table();
        Assert.True(merged.IsComplete);
        Assert.All(table.Rows, r => Assert.Equal(table.Columns.Count, r.Count));
        Assert.Equal(study.Units.Select(u => (u.Task.Id, u.Method.Name, u.Editor.Id)), table.Rows.Select(r => (r[1], r[4], r[5])));
        Assert.Contains("source-outside-psnr", table.Columns);
        Assert.Contains("truth-inside-psnr", table.Columns);
        Assert.DoesNotContain("seconds", table.Columns);
        Assert.DoesNotContain("econds", merged.ToJson(), StringComparison.Ordinal);
        int status = table.Columns.ToList().IndexOf("status");
        Assert.Equal(StudyBench.RefusedPairs + StudyBench.RefusedWords, table.Rows.Count(r => r[status] == "refused" && r[^1].Length > 0));
        Assert.Equal(["seconds", "edit-seconds"], merged.Times().Columns.TakeLast(2));
        // Three methods, two editors; each with the mean of its tasks.
        StudyTable summary = merged.Summary();
        Assert.Equal(6, summary.Rows.Count);
        int psnr = summary.Columns.ToList().IndexOf("source-psnr"),
            own = table.Columns.ToList().IndexOf("source-psnr");
        double[] values =
        [
            .. table
                .Rows.Where(r => r[4] == "ddim" && r[5] == "masactrl" && r[own].Length > 0)
                .Select(r => double.Parse(r[own], System.Globalization.CultureInfo.InvariantCulture)),
        ];
        Assert.Equal(3, values.Length);
        Assert.Equal(
            values.Average(),
            double.Parse(summary.Rows.Single(r => r[2] == "ddim" && r[3] == "masactrl")[psnr], System.Globalization.CultureInfo.InvariantCulture),
            1e-9
        );
    }

    [Fact]
    public void Merge_ShardsOfDifferentModelVersions_IsRefused()
    {
        Study old = _bench.Study(),
            now = _bench.Study(identity: "flow-2");
        _bench.Run(old, "a");
        // A shard that has some of the inversions, but not all.
        StudyShard some = Enumerable
            .Range(2, 20)
            .SelectMany(n => Enumerable.Range(0, n).Select(i => new StudyShard(i, n)))
            .First(s => now.Of(s).Count(u => u.Refusal is null) is > 0 and < StudyBench.Units - StudyBench.RefusedPairs);
        Assert.True(_bench.Run(now, "a", some).Planned > 0);
        StudyException mixed = Assert.Throws<StudyException>(() => _bench.Merge(now, "a"));
        foreach (string part in (string[])["different versions", "the model's weights or settings", "flow | ", "Run the study again"])
            Assert.Contains(part, mixed.Message, StringComparison.Ordinal);
        // The way out that the message names; the old results stay.
        _bench.Run(now, "a");
        StudyMerge merged = _bench.Merge(now, "a");
        Assert.True(merged.IsComplete);
        Assert.Contains("not used", Assert.Single(merged.Notes), StringComparison.Ordinal);
        Assert.True(_bench.Merge(old, "a").IsComplete);
    }

    [Fact]
    public void Merge_ResultsOfAnotherRevision_SaysWhichOption()
    {
        Study study = _bench.Study(StudyBench.Plan with { Methods = ["ddim"], Editors = ["masactrl"] });
        StudyUnit unit = study.Units[0];
        StudyFolder folder = new(_bench.In("a"));
        string options = unit.Key.OptionsJson.Replace("\"Study\":1", "\"Study\":0", StringComparison.Ordinal);
        Assert.NotEqual(options, unit.Key.OptionsJson);
        folder.Write(unit with { Key = unit.Key with { OptionsJson = options } }, new UnitRecord { Status = UnitStatus.Done, Slot = unit.Slot });
        Assert.Contains("'Inversion.Study'", Assert.Throws<StudyException>(() => _bench.Merge(study, "a")).Message, StringComparison.Ordinal);
        folder.Write(
            unit with
            {
                Key = unit.Key with { OptionsJson = options },
            },
            new UnitRecord { Status = UnitStatus.Done, Slot = "of a unit that nobody names" }
        );
        Assert.Contains("not used", Assert.Single(_bench.Merge(study, "a").Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_NoFolder_SaysSo() =>
        Assert.Contains("Run the study first", Assert.Throws<StudyException>(() => _bench.Merge(_bench.Study(), "none")).Message, StringComparison.Ordinal);

    public void Dispose() => _bench.Dispose();
}
