using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

[LeavesNoTensors]
public class ToyEditDatasetTests
{
    private static readonly ToyEditDataset All = new();

    [Fact]
    public void Tasks_AnyPrefix_IsBalanced_AndIndependentOfTheCount()
    {
        Assert.Equal(ToyEditDataset.MostTasks, All.Tasks.Count);
        foreach (int count in (int[])[1, 6, 7, 50, 100, 499])
        {
            ToyEditDataset some = new(count);
            Assert.Equal(
                All.Tasks.Take(count).Select(t => (t.Id, t.Kind, t.SourcePrompt, t.TargetPrompt)),
                some.Tasks.Select(t => (t.Id, t.Kind, t.SourcePrompt, t.TargetPrompt))
            );
            int[] perKind = [.. ToyEditDataset.Kinds.Select(k => some.Tasks.Count(t => t.Kind == k))];
            Assert.InRange(perKind.Max() - perKind.Min(), 0, 1);
        }
    }

    [Fact]
    public void Tasks_All_HaveUniqueFileNamesAndScenes()
    {
        Assert.Equal(All.Tasks.Count, All.Tasks.Select(t => t.Id.ToLowerInvariant()).Distinct().Count());
        Assert.All(All.Tasks, t => Assert.All(t.Id, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '-' or '_')));
        Assert.Equal(All.Tasks.Count, All.Tasks.Select(t => All.Plan(t).Source.BackgroundSeed).Distinct().Count());
    }

    [Fact]
    public void Tasks_All_AreHeldOut_AndCreateNoCombinationThatTrainingLacks()
    {
        Assert.All(
            All.Tasks,
            t =>
            {
                SceneEditPlan plan = All.Plan(t);
                Assert.Equal(1, plan.Source.BackgroundSeed & 1);
                Assert.False(SuggestedEdits.MakesHeldOut(plan.Source, plan.Target));
                Assert.Null(plan.Edit.WhyNot(plan.Source));
            }
        );
    }

    [Fact]
    public void Tasks_All_StatePromptsWordsAndWeightsThatFit()
    {
        foreach (EditTask task in All.Tasks)
        {
            string[] source = task.SourcePrompt.Split(' '),
                target = task.TargetPrompt.Split(' ');
            Assert.All(source.Concat(target), w => Assert.Contains(w, SceneDomain.Second.Words));
            Assert.All(task.BlendWords, w => Assert.True(source.Contains(w) || target.Contains(w), $"{task.Id}: {w}"));
            if (task.Kind != "re-weight")
            {
                Assert.Empty(task.Weights);
                Assert.NotEqual(task.SourcePrompt, task.TargetPrompt);
                continue;
            }

            Assert.Equal(task.SourcePrompt, task.TargetPrompt);
            (string word, double factor) = Assert.Single(task.Weights);
            Assert.Contains(word, target);
            SceneEditPlan plan = All.Plan(task);
            Assert.Equal(factor > 1, plan.Target.WeatherAmount > plan.Source.WeatherAmount);
        }

        Assert.All((string[])["swap", "colour", "add", "remove"], kind => Assert.All(All.Tasks.Where(t => t.Kind == kind), t => Assert.NotEmpty(t.BlendWords)));
    }

    [Fact]
    public void Tasks_WeatherAndStyle_HaveTheirVariantsInEqualParts()
    {
        string[] kinds =
        [
            .. All
                .Tasks.Where(t => t.Kind == "weather-or-style")
                .Select(t =>
                    All.Plan(t).Target switch
                    {
                        { Style: SceneStyle.Drawing } => "drawing",
                        { Night: true } => "night",
                        { Weather: SceneWeather.Rain } => "rain",
                        { Weather: SceneWeather.Fog } => "fog",
                        _ => "none",
                    }
                ),
        ];
        Assert.Equal(["drawing", "fog", "night", "rain"], kinds.Distinct().Order());
        Assert.All(kinds.CountBy(k => k), k => Assert.InRange(k.Value, 17, 18));
        (string, double)[] weights = [.. All.Tasks.Where(t => t.Kind == "re-weight").Select(t => (t.Weights.Keys.Single(), t.Weights.Values.Single()))];
        Assert.Equal([("fog", 0.25), ("fog", 4), ("rain", 0.25), ("rain", 4)], weights.Distinct().Order());
        Assert.All(weights.CountBy(w => w), w => Assert.InRange(w.Value, 17, 18));
    }

    [Fact]
    public void Truth_All_DiffersFromThePictureInsideTheMaskOnly()
    {
        const int Size = 64;
        foreach (EditTask task in All.Tasks.Take(210))
        {
            RgbImage picture = All.Picture(task),
                truth = All.Truth(task)!;
            Assert.Equal((Size, Size, Size, Size), (picture.Width, picture.Height, truth.Width, truth.Height));
            RegionMask? mask = All.Mask(task);
            Assert.Equal(task.Kind is "weather-or-style" or "re-weight", mask is null);
            int changed = 0;
            for (int i = 0; i < picture.Rgb.Length; i++)
            {
                int difference = Math.Abs(picture.Rgb[i] - truth.Rgb[i]);
                if (mask is null || mask[i / 3])
                    changed += difference > 8 ? 1 : 0;
                else
                    Assert.InRange(difference, 0, ToyEditDataset.InvisibleLevels);
            }

            Assert.True(changed > 60, $"{task.Id}: '{task.TargetPrompt}' looks like '{task.SourcePrompt}' ({changed} values differ)");
        }
    }

    [Fact]
    public void Fingerprint_SameTasks_IsEqual_AndDependsOnCountAndSize()
    {
        string fingerprint = new ToyEditDataset(9, 32).Fingerprint;
        Assert.Equal(64, fingerprint.Length);
        Assert.Equal(fingerprint, new ToyEditDataset(9, 32).Fingerprint);
        Assert.NotEqual(fingerprint, new ToyEditDataset(8, 32).Fingerprint);
        Assert.NotEqual(fingerprint, new ToyEditDataset(9, 33).Fingerprint);
    }

    [Fact]
    public void Reads_FromManyThreads_GiveTheSamePictures()
    {
        ToyEditDataset data = new(21, 32);
        (string, RgbImage, RgbImage)[] Read() => [.. data.Tasks.Select(t => (data.PictureHash(t), data.Picture(t), data.Truth(t)!))];
        (string, RgbImage, RgbImage)[] alone = Read();
        (string, RgbImage, RgbImage)[][] together = new (string, RgbImage, RgbImage)[8][];
        Parallel.For(0, together.Length, i => together[i] = Read());
        Assert.All(together, t => Assert.Equal(alone, t));
    }

    [Fact]
    public void AmountAt_AnyFactor_KeepsTheOrder()
    {
        double[] factors = [-2, 0, 0.25, 0.5, 1, 1.5, 4, 100];
        foreach (double amount in (double[])[0, 0.3, 0.5, 1])
        {
            double[] amounts = [.. factors.Select(f => ToyEditDataset.AmountAt(amount, f))];
            Assert.Equal(amounts.Order(), amounts);
            Assert.All(amounts, a => Assert.InRange(a, 0, 1));
            Assert.Equal(amount, ToyEditDataset.AmountAt(amount, 1));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => ToyEditDataset.AmountAt(1.1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ToyEditDataset.AmountAt(0.5, double.NaN));
    }

    [Fact]
    public void Arguments_OutOfRange_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ToyEditDataset(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ToyEditDataset(ToyEditDataset.MostTasks + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ToyEditDataset(1, 8));
        ArgumentException unknown = Assert.Throws<ArgumentException>(() => new ToyEditDataset(7).Picture(All.Tasks[7]));
        Assert.Contains("'007-swap'", unknown.Message, StringComparison.Ordinal);
    }
}
