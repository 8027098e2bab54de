using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

[LeavesNoTensors]
public sealed class StudyRunnerTests : IDisposable
{
    private readonly StudyBench _bench = new();

    [Fact]
    public void Run_Study_MakesEachInversionOnce_AndAgainNothing()
    {
        Study study = _bench.Study();
        StudyOutcome first = _bench.Run(study, "a");
        int computed = StudyBench.Units - StudyBench.RefusedPairs - StudyBench.RefusedWords;
        Assert.Equal((StudyBench.Units, 0, computed), (first.Planned, first.Found, first.Computed));
        Assert.Equal((StudyBench.RefusedPairs + StudyBench.RefusedWords, 0), (first.Refused, first.Failures.Count));
        Assert.Equal((1, StudyBench.Inversions), (_bench.Loads, _bench.Inverted));

        Dictionary<string, DateTime> written = Files("a");
        StudyOutcome again = _bench.Run(_bench.Study(), "a");
        Assert.Equal((StudyBench.Units - StudyBench.RefusedPairs, 0, 0), (again.Found, again.Computed, again.Scored));
        Assert.Equal(first.Refused, again.Refused);
        Assert.Equal((1, StudyBench.Inversions), (_bench.Loads, _bench.Inverted));
        Assert.Equal(written, Files("a"));
        Assert.Empty(Directory.GetFiles(_bench.In("a/running")));
    }

    [Fact]
    public void Run_Records_HoldScoresPicturesAndCosts()
    {
        Study study = _bench.Study(StudyBench.Plan with { Methods = ["null-text"], Editors = ["prompt-to-prompt"], Metrics = ["psnr", "masked-psnr", "ssim"] });
        _bench.Run(study, "a");
        StudyFolder folder = new(_bench.In("a"));
        UnitRecord dog = folder.Find(study.Units[0])!,
            red = folder.Find(study.Units[2])!;
        Assert.Equal(["source-psnr", "source-ssim"], dog.Scores.Keys.Order());
        Assert.Equal(
            ["source-outside-psnr", "source-psnr", "source-ssim", "truth-inside-psnr", "truth-psnr", "truth-ssim"],
            red.Scores.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal((UnitStatus.Done, "flow"), (red.Status, red.Slot.Split(" | ")[1]));
        Assert.True(red is { Evaluations: > 0, Backwards: 3, EditEvaluations: > 0, Seconds: > 0 }, $"{red}");
        RgbImage picture = folder.Picture(study.Units[2], red)!;
        Assert.Equal(Psnr.Of(picture, new TinyEdits().Picture(study.Units[2].Task)), red.Scores["source-psnr"]);
        Assert.True(red.ReconstructionPsnr <= red.AutoencoderPsnr + 1, $"{red.ReconstructionPsnr} {red.AutoencoderPsnr}");
        UnitRecord zebra = folder.Find(study.Units[3])!;
        Assert.Equal(UnitStatus.Refused, zebra.Status);
        Assert.Contains("zebra", zebra.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_StoppedInTheMiddleOfANullTextInversion_ContinuesThere()
    {
        StudyPlan plan = StudyBench.Plan with { Methods = ["null-text"], Editors = ["prompt-to-prompt"], Steps = [12], InnerSteps = [2] };
        IReadOnlyList<EditTask> first = [new TinyEdits().Tasks[0]];
        Study Study() => _bench.Study(plan, new TinyEdits { Tasks = first });
        int calls = 0;
        _bench.BeforePrediction = () => calls++;
        _bench.Run(Study(), "whole");
        int whole = calls;

        using CancellationTokenSource stop = new();
        string states = _bench.In("stopped/states");
        _bench.BeforePrediction = () =>
        {
            // As soon as the first state is saved.
            if (Directory.Exists(states))
                stop.Cancel();
        };
        Assert.ThrowsAny<OperationCanceledException>(() => _bench.Run(Study(), "stopped", cancellation: stop.Token));
        Assert.Single(Directory.GetDirectories(states));
        calls = 0;
        _bench.BeforePrediction = () => calls++;
        StudyOutcome rest = _bench.Run(Study(), "stopped");
        Assert.Equal((1, 0), (rest.Computed, rest.Failures.Count));
        Assert.True(calls < whole - 20, $"{calls} of {whole} calls after the stop");
        Assert.Empty(Directory.GetDirectories(states));
        Assert.Equal(StudyBench.Text(_bench.Merge(Study(), "whole")), StudyBench.Text(_bench.Merge(Study(), "stopped")));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void Run_ShardsInAnyOrder_GiveTheTablesOfOneProcess(int count)
    {
        Study study = _bench.Study();
        _bench.Run(study, "one");
        string whole = StudyBench.Text(_bench.Merge(study, "one"));
        foreach (int shard in Enumerable.Range(0, count).Reverse())
            _bench.Run(_bench.Study(), "many", new StudyShard(shard, count));
        Assert.Equal(2 * StudyBench.Inversions, _bench.Inverted);
        Assert.Equal(whole, StudyBench.Text(_bench.Merge(_bench.Study(), "many")));
        foreach (string file in Directory.GetFiles(_bench.In("one/units"), "*.png"))
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(_bench.In("many/units"), Path.GetFileName(file))));
    }

    [Fact]
    public void Run_StoppedInTheMiddleAndResumedWithOtherShards_EndsAsIfItHadNotBeen()
    {
        Study study = _bench.Study();
        _bench.Run(study, "whole");
        using CancellationTokenSource stop = new();
        Told told = new(p =>
        {
            if (p.Finished == StudyBench.RefusedPairs + 3)
                stop.Cancel();
        });
        Assert.Throws<OperationCanceledException>(() => _bench.Run(study, "stopped", progress: told, cancellation: stop.Token));
        Dictionary<string, DateTime> kept = Files("stopped");
        Assert.Equal(3, kept.Keys.Count(f => f.EndsWith(".json", StringComparison.Ordinal)));
        Assert.Equal(StudyBench.Units - StudyBench.RefusedPairs - 3, _bench.Merge(study, "stopped").Missing.Count);
        foreach (int shard in (int[])[1, 0])
            _bench.Run(study, "stopped", new StudyShard(shard, 2));
        Assert.Equal(kept, Files("stopped").Where(f => kept.ContainsKey(f.Key)).ToDictionary());
        Assert.Equal(StudyBench.Text(_bench.Merge(study, "whole")), StudyBench.Text(_bench.Merge(study, "stopped")));
        Assert.Empty(Directory.GetFiles(_bench.In("stopped/running")));
    }

    [Fact]
    public void Run_UnitThatFails_LeavesARecordAndTheOthersAreDone()
    {
        TinyEdits broken = new();
        broken.Broken.Add("red");
        StudyOutcome outcome = _bench.Run(_bench.Study(data: broken), "a");
        // Its group: both units with a picture of its own; the zebra shares the inversion.
        Assert.NotEmpty(outcome.Failures);
        Assert.All(outcome.Failures, f => Assert.Equal((UnitStatus.Failed, "inversion", 1), (f.Status, f.Stage, f.Attempts)));
        Assert.All(outcome.Failures, f => Assert.Contains("on fire", f.Reason, StringComparison.Ordinal));
        Assert.Equal(8, outcome.Computed);
        StudyMerge merged = _bench.Merge(_bench.Study(), "a");
        Assert.False(merged.IsComplete);
        Assert.Equal(outcome.Failures.Count, merged.Failed.Count);
        Assert.Contains("IOException", merged.Failed[0].Record.Error, StringComparison.Ordinal);

        Assert.All(_bench.Run(_bench.Study(data: broken), "a").Failures, f => Assert.Equal(2, f.Attempts));
        StudyOutcome mended = _bench.Run(_bench.Study(), "a");
        Assert.Equal((4, 0), (mended.Computed, mended.Failures.Count));
        Assert.Empty(Directory.GetFiles(_bench.In("a/failed")));
        Assert.True(_bench.Merge(_bench.Study(), "a").IsComplete);
    }

    [Fact]
    public void Run_ErrorInsideOfTheModel_IsTheUnitsOwn()
    {
        int inversion = 0;
        _bench.BeforeInversion = () =>
        {
            if (inversion++ == 1)
                throw new InvalidOperationException("out of memory");
        };
        StudyOutcome outcome = _bench.Run(_bench.Study(), "a");
        Assert.NotEmpty(outcome.Failures);
        Assert.Equal(StudyBench.Units, outcome.Computed + outcome.Refused + outcome.Failures.Count);
    }

    [Fact]
    public void Run_MetricAddedLater_IsComputedFromTheStoredPictures()
    {
        StudyPlan more = StudyBench.Plan with { Metrics = ["psnr", "masked-psnr", "ms-ssim"] };
        _bench.Run(_bench.Study(), "a");
        Assert.False(_bench.Merge(_bench.Study(more), "a").IsComplete);
        StudyOutcome outcome = _bench.Run(_bench.Study(more), "a");
        Assert.Equal((0, 12), (outcome.Computed, outcome.Scored));
        Assert.Equal((1, StudyBench.Inversions), (_bench.Loads, _bench.Inverted));
        _bench.Run(_bench.Study(more), "b");
        Assert.Equal(StudyBench.Text(_bench.Merge(_bench.Study(more), "b")), StudyBench.Text(_bench.Merge(_bench.Study(more), "a")));
        // Other rules for masks: all scores anew.
        Assert.Equal(12, _bench.Run(_bench.Study(more with { Mode = MaskedMode.PieOfficial }), "a").Scored);
    }

    [Fact]
    public void Run_Judge_IsAskedOnceAndAgainWhenItIsAnother()
    {
        Study study = _bench.Study();
        Judge first = new("first");
        new StudyRunner(study, _bench.In("a")) { Judge = first }.Run();
        new StudyRunner(study, _bench.In("a")) { Judge = first }.Run();
        Assert.Equal(12, first.Asked);
        StudyTable table = _bench.Merge(study, "a").Table();
        int success = table.Columns.ToList().IndexOf("success");
        Assert.Equal(["", "0", "1"], table.Rows.Select(r => r[success]).Distinct().Order(StringComparer.Ordinal));
        Judge second = new("second");
        new StudyRunner(study, _bench.In("a")) { Judge = second }.Run();
        Assert.Equal((12, 1), (second.Asked, _bench.Loads));
    }

    [Fact]
    public void Run_DamagedRecordOrMissingPicture_IsComputedAnew()
    {
        _bench.Run(_bench.Study(), "a");
        string[] records = Directory.GetFiles(_bench.In("a/units"), "*.json"),
            pictures = Directory.GetFiles(_bench.In("a/units"), "*.png");
        byte[] picture = File.ReadAllBytes(pictures[0]);
        File.Delete(pictures[0]);
        string other = records.First(r => File.Exists(Path.ChangeExtension(r, ".png")) && Path.ChangeExtension(r, ".png") != pictures[0]);
        File.WriteAllText(other, File.ReadAllText(other).Replace("Done", "Dome", StringComparison.Ordinal));
        Assert.Contains("damaged", string.Join(' ', _bench.Merge(_bench.Study(), "a").Notes), StringComparison.Ordinal);
        Assert.Equal(2, _bench.Run(_bench.Study(), "a").Computed);
        Assert.Equal(picture, File.ReadAllBytes(pictures[0]));
        Assert.True(_bench.Merge(_bench.Study(), "a").IsComplete);
    }

    [Fact]
    public void Run_InversionDuringWhichAProcessDied_ComesLast()
    {
        Study study = _bench.Study();
        StudyUnit first = study.Units[0];
        // As a killed process leaves it.
        _ = new StudyFolder(_bench.In("a")).Mark(first.InversionKey);
        Told told = new(_ => { });
        _bench.Run(study, "a", progress: told);
        Assert.Equal(study.Units.Where(u => u.InversionKey == first.InversionKey).Select(u => u.Slot), told.Slots.TakeLast(4));
        Assert.Empty(Directory.GetFiles(_bench.In("a/running")));
    }

    [Fact]
    public void Run_MetricWithoutWeights_IsRefusedBeforeTheWork()
    {
        Directory.CreateDirectory(_bench.In("weights"));
        Study study = _bench.Study(StudyBench.Plan with { Metrics = ["clip-text"], Weights = _bench.In("weights") });
        Assert.Contains("clip-text", Assert.Throws<StudyException>(() => _bench.Run(study, "a")).Message, StringComparison.Ordinal);
        Assert.Equal(0, _bench.Loads);
    }

    public void Dispose() => _bench.Dispose();

    private Dictionary<string, DateTime> Files(string folder) =>
        Directory.GetFiles(_bench.In(Path.Combine(folder, "units"))).ToDictionary(f => Path.GetFileName(f), File.GetLastWriteTimeUtc);

    private sealed class Judge(string id) : IEditJudge
    {
        public int Asked { get; private set; }

        public string Id => id;

        bool? IEditJudge.Judge(EditTask task, RgbImage edited)
        {
            Asked++;
            return task.Id == "red" ? null : task.Id == "dog";
        }
    }
}
