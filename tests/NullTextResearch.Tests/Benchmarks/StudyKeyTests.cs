using System.Text.Json.Serialization;
using NullTextResearch.Benchmarks;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public sealed class StudyKeyTests : IDisposable
{
    private readonly StudyBench _bench = new();

    private static readonly StudyPlan One = StudyBench.Plan with { Methods = ["eta"], Editors = ["prompt-to-prompt"] };

    private static readonly Dictionary<string, Func<StudyPlan, StudyPlan>> Changes = new()
    {
        ["method"] = p => p with { Methods = ["npi"] },
        ["path"] = p => p with { Methods = ["eta@fixed-point"] },
        ["steps"] = p => p with { Steps = [4] },
        ["guidance"] = p => p with { Guidance = [7] },
        ["seed"] = p => p with { Seeds = [1] },
        ["size"] = p => p with { Size = "32" },
    };

    public static TheoryData<string> ChangedOptions => [.. Changes.Keys];

    [Theory]
    [MemberData(nameof(ChangedOptions))]
    public void Key_AnyOptionChanged_IsAnother(string option)
    {
        StudyUnit before = First(One),
            after = First(Changes[option](One));
        Assert.NotEqual(before.InversionKey.Hash, after.InversionKey.Hash);
        Assert.NotEqual(before.Key.Hash, after.Key.Hash);
    }

    [Fact]
    public void Key_InnerStepsOfAMethodThatOptimises_Count()
    {
        StudyPlan plan = One with { Methods = ["null-text"] };
        Assert.NotEqual(First(plan).Key.Hash, First(plan with { InnerSteps = [2] }).Key.Hash);
        Assert.Equal(First(One).Key.Hash, First(One with { InnerSteps = [2] }).Key.Hash);
    }

    [Fact]
    public void Key_ModelPictureTargetEditorAndRegions_Count()
    {
        StudyUnit[] units = [.. _bench.Study(One).Units];
        StudyUnit dog = units[0],
            tiger = units[1],
            red = units[2];
        Assert.NotEqual(dog.Key.Hash, First(One, "flow-2").Key.Hash);
        Assert.NotEqual(dog.Key.Hash, First(One with { Editors = ["masactrl"] }).Key.Hash);
        Assert.Equal(dog.InversionKey.Hash, First(One with { Editors = ["masactrl"] }).InversionKey.Hash);
        // One picture and prompt, another target.
        Assert.Equal(dog.InversionKey.Hash, tiger.InversionKey.Hash);
        Assert.NotEqual(dog.Key.Hash, tiger.Key.Hash);
        Assert.NotEqual(dog.InversionKey.Hash, red.InversionKey.Hash);
        ResultKey inversion = red.InversionKey;
        string[] hashes =
        [
            .. ((EditTask[])[red.Task, red.Task with { BlendWords = [] }, red.Task with { Weights = new Dictionary<string, double> { ["red"] = 2 } }]).Select(
                t => StudyKeys.OfUnit(inversion, new PromptToPromptOptions(), t, "a").Hash
            ),
            StudyKeys.OfUnit(inversion, new PromptToPromptOptions(), red.Task, "b").Hash,
        ];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        // What a task is filed under changes nothing.
        Assert.Equal(hashes[0], StudyKeys.OfUnit(inversion, new PromptToPromptOptions(), red.Task with { Id = "other", Kind = "other" }, "a").Hash);
    }

    [Fact]
    public void Key_OptionsOfAnEditor_Count_ButNotItsNameNorDefaults()
    {
        StudyEditorChoice plain = "prompt-to-prompt",
            named = new() { Editor = "prompt-to-prompt", Name = "other" };
        string before = First(One).Key.Hash;
        Assert.Equal(before, First(One with { Editors = [named] }).Key.Hash);
        Assert.Equal(before, First(One with { Editors = [plain with { Options = new Dictionary<string, string> { ["cross-replace"] = "0.8" } }] }).Key.Hash);
        (string Name, string Value)[] options =
        [
            ("kind", "refine"),
            ("cross-replace", "0.4"),
            ("self-replace", "0.6"),
            ("blend-threshold", "0.4"),
            ("blend-start", "0.3"),
            ("blend-lookup", "word-per-prompt"),
            ("blend-factor", "2"),
            ("self-replace-max-side", "8"),
        ];
        string[] changed =
        [
            .. options.Select(o => First(One with { Editors = [plain with { Options = new Dictionary<string, string> { [o.Name] = o.Value } }] }).Key.Hash),
        ];
        Assert.Equal(changed.Length + 1, changed.Append(before).Distinct().Count());
        // The pair of words is part of what is computed where it is used, and only there.
        StudyUnit unit = First(One);
        EditTask paired = unit.Task with { BlendPair = ["cat", "dog"] };
        Assert.Equal(OfTask(unit.Task, null), OfTask(paired, null));
        Assert.NotEqual(OfTask(unit.Task, StudyEditSettings.Pie), OfTask(paired, StudyEditSettings.Pie));

        string OfTask(EditTask task, StudyEditSettings? settings) => StudyKeys.OfUnit(unit.InversionKey, new PromptToPromptOptions(), task, "", settings).Hash;
    }

    [Fact]
    public void Study_OneEditorUnderTwoNames_IsRefused() =>
        Assert.Contains(
            "one computation under two names",
            Assert
                .Throws<StudyException>(() => _bench.Study(One with { Editors = ["prompt-to-prompt", new() { Editor = "prompt-to-prompt", Name = "other" }] }))
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Key_RevisionOfMethodPathAndEditor_Counts()
    {
        string[] methods = [.. ((int[])[0, 1]).Select(r => OfInversion(new Revised(r)))];
        Assert.NotEqual(methods[0], methods[1]);
        ResultKey inversion = First(One).InversionKey;
        EditTask task = First(One).Task;
        Assert.NotEqual(StudyKeys.OfUnit(inversion, new RevisedEditor(0), task, "").Hash, StudyKeys.OfUnit(inversion, new RevisedEditor(1), task, "").Hash);
        Assert.NotEqual(OfInversion(new PathInversion(new RevisedPath(0))), OfInversion(new PathInversion(new RevisedPath(1))));
    }

    [Fact]
    public void Key_MetricsNamesAndOtherTasks_DoNotCount()
    {
        StudyUnit before = First(One);
        Assert.Equal(before.Key.Hash, First(One with { Metrics = ["ssim"], Name = "other", Methods = ["ddim", "eta"] }, method: "eta").Key.Hash);
        TinyEdits fewer = new() { Tasks = [new TinyEdits().Tasks[0]] };
        Assert.Equal(before.Key.Hash, _bench.Study(One, fewer).Units[0].Key.Hash);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    public void Shards_AnyNumber_PartitionTheUnitsAndKeepInversionsTogether(int count)
    {
        StudyPlan plan = StudyBench.Plan with { Seeds = [0, 1, 2, 3], Methods = ["ddim", "null-text", "eta", "edit-friendly"], Guidance = [1, 7.5] };
        Study study = _bench.Study(plan);
        StudyUnit[][] shards = [.. Enumerable.Range(0, count).Select(i => study.Of(new StudyShard(i, count)).ToArray())];
        Assert.Equal(study.Units.Select(u => u.Key.Hash).Order(), shards.SelectMany(s => s).Select(u => u.Key.Hash).Order());
        Assert.All(study.Units.GroupBy(u => u.InversionKey.Hash), g => Assert.Single(shards, s => s.Any(u => u.InversionKey.Hash == g.Key)));
        Assert.All(shards, s => Assert.Equal(s.Select(u => u.Slot), study.Units.Where(u => s.Any(x => ReferenceEquals(x, u))).Select(u => u.Slot)));
    }

    [Theory]
    [InlineData("0/1", 0, 1)]
    [InlineData("3/4", 3, 4)]
    [InlineData("4/4", -1, 0)]
    [InlineData("-1/4", -1, 0)]
    [InlineData("1", -1, 0)]
    [InlineData("1/2/3", -1, 0)]
    [InlineData("0/0", -1, 0)]
    [InlineData(" 0/2", -1, 0)]
    [InlineData(null, -1, 0)]
    public void TryParse_Shard_IsZeroBased(string? text, int index, int count)
    {
        Assert.Equal(index >= 0, StudyShard.TryParse(text, out StudyShard? shard));
        if (shard is not null)
            Assert.Equal((index, count), (shard.Index, shard.Count));
    }

    [Fact]
    public void Study_OneComputationUnderTwoNames_IsRefused() =>
        Assert.Contains(
            "null-text | prompt",
            Assert.Throws<StudyException>(() => _bench.Study(StudyBench.Plan with { Methods = ["null-text", "null-text@ddim"] })).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Study_DataSetWithMissingPictures_NamesThemAll()
    {
        TinyEdits edits = new();
        edits.Missing.UnionWith(["dog", "red"]);
        string message = Assert.Throws<StudyException>(() => _bench.Study(data: edits)).Message;
        foreach (string part in (string[])["2 of 4 tasks of the data set 'tiny'", "complete it", "dog.png is missing", "red.png is missing"])
            Assert.Contains(part, message, StringComparison.Ordinal);
    }

    public void Dispose() => _bench.Dispose();

    private StudyUnit First(StudyPlan plan, string identity = "flow-1", string? method = null) =>
        _bench.Study(plan, identity: identity).Units.First(u => method is null || u.Method.Name == method);

    private static string OfInversion(IInversion inversion) => StudyKeys.OfInversion(("p", "a cat"), "m", inversion, "", 3, 7.5, "own").Hash;

    private sealed class Revised(int revision) : IInversion
    {
        public string Name => "revised";

        public int Revision => revision;

        public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
            throw new NotSupportedException();
    }

    private sealed record RevisedEditor([property: JsonIgnore] int Number) : EditorOptions
    {
        public override string Id => "revised";

        public override int Revision => Number;

        public override IEditDirector Direct(EditProblem problem) => throw new NotSupportedException();
    }

    private sealed record RevisedPath([property: JsonIgnore] int Number) : PathOptions
    {
        public override string Id => "revised";

        public override int Revision => Number;

        public override IPath Create() => new DdimInversionOptions().Create();

        protected internal override IEnumerable<string> Problems() => [];
    }
}
