using NullTextResearch.Scenes;
using Xunit;

namespace NullTextResearch.Tests.Scenes;

public class SceneEditTests
{
    private const int Size = 64;

    [Fact]
    public void Render_ObjectSwapOrColour_LeavesAllPixelsOutsideTheEditMaskAlone()
    {
        using SceneRenderer renderer = new SceneRenderer();
        int checkedEdits = 0;
        for (int seed = 0; seed < 25; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            foreach (SceneEdit? edit in SuggestedEdits.For(scene).Where(e => e is ObjectSwap or ColourChange))
            {
                SceneEditPlan plan = edit.Plan(scene);
                byte[] a = renderer.Render(plan.Source, Size),
                    b = renderer.Render(plan.Target, Size),
                    mask = renderer.EditMask(plan, Size);
                int inside = 0;
                for (int i = 0; i < a.Length; i++)
                {
                    if (mask[i / 3] == 0)
                        Assert.Equal(a[i], b[i]);
                    else if (a[i] != b[i])
                        inside++;
                }
                Assert.True(inside > 100, $"'{plan.TargetCaption}' looks like '{plan.SourceCaption}'");
                checkedEdits++;
            }
        }
        Assert.True(checkedEdits >= 25);
    }

    [Fact]
    public void Render_BackgroundChange_LeavesTheInsideOfObjectsAlone()
    {
        using SceneRenderer renderer = new SceneRenderer();
        for (int seed = 0; seed < 25; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            SceneEditPlan plan = SuggestedEdits.For(scene).OfType<BackgroundChange>().First().Plan(scene);
            byte[] a = renderer.Render(plan.Source, Size),
                b = renderer.Render(plan.Target, Size);
            for (int i = 0; i < scene.Objects.Count; i++)
            {
                byte[] coverage = renderer.ObjectCoverage(scene, i, Size);
                for (int p = 0; p < a.Length; p++)
                {
                    // Blending rounds: a fully covered pixel may still differ by one level.
                    if (coverage[p / 3] == 255)
                        Assert.InRange(a[p] - b[p], -1, 1);
                }
            }
        }
    }

    [Fact]
    public void For_AnyScene_SuggestsABackgroundAndMostlyASwap_AndNeverNewHeldOutCombinations()
    {
        int swaps = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train);
            IReadOnlyList<SceneEdit> edits = SuggestedEdits.For(scene);
            swaps += edits.OfType<ObjectSwap>().Count();
            Assert.Single(edits.OfType<BackgroundChange>());
            Assert.Equal(scene.Objects[0].Colour is not null, edits.OfType<ColourChange>().Any());
            Assert.All(edits, e => Assert.False(e.Apply(scene).HasHeldOutCombination));
            Assert.Equal(edits, SuggestedEdits.For(scene));
        }
        Assert.InRange(swaps, 290, 300);
    }

    [Fact]
    public void Plan_WordSwaps_KeepTheNumberOfWords()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            foreach (SceneEditPlan? plan in SuggestedEdits.For(scene).Select(e => e.Plan(scene)))
            {
                int from = plan.SourceCaption.Split(' ').Length,
                    to = plan.TargetCaption.Split(' ').Length;
                Assert.Equal(plan.Kind == SceneEditKind.WordSwap, from == to);
                if (plan.Edit is ObjectSwap or ColourChange or BackgroundChange)
                    Assert.Equal(SceneEditKind.WordSwap, plan.Kind);
                if (plan.Edit is ObjectSwap or ColourChange)
                    Assert.Single(plan.TargetWords);
                // Taking the changed words away leaves the same sentence.
                Assert.Equal(Without(plan.SourceCaption, plan.SourceWordIndices), Without(plan.TargetCaption, plan.TargetWordIndices));
            }
        }
    }

    [Fact]
    public void Plan_Refinements_NameTheNewWords()
    {
        SceneDescription scene = new SceneDescription
        {
            Background = SceneBackground.Beach,
            BackgroundSeed = 3,
            Objects =
            [
                new SceneObject
                {
                    Kind = SceneObjectKind.Cat,
                    CentreX = 0.27,
                    CentreY = 0.6,
                    Side = 0.5,
                },
            ],
        };
        SceneEditPlan night = new NightFall().Plan(scene);
        Assert.Equal(
            ("a cat on the beach at night", "at night", ""),
            (night.TargetCaption, string.Join(' ', night.TargetWords), string.Join(' ', night.SourceWords))
        );
        SceneEditPlan added = new AddObject(SceneObjectKind.Car, SceneColour.Blue).Plan(scene);
        Assert.Equal("a cat next to a blue car on the beach", added.TargetCaption);
        Assert.Equal("car", added.TargetBlendWord);
        Assert.Null(added.SourceBlendWord);
        Assert.Equal(5, added.TargetWords.Count);
        Assert.Empty(added.SourceWords);
        SceneObject o = added.Target.Objects[1];
        Assert.True(o.CentreX - (o.Side / 2) >= scene.Objects[0].CentreX + (scene.Objects[0].Side / 2) && o.CentreX + (o.Side / 2) <= 1);
    }

    [Fact]
    public void Apply_SizeChange_ChangesNothingButSizeAndPlace()
    {
        SceneDescription scene = ToyScenes.Sample(0, SceneSplit.Train);
        SceneObject after = new SizeChange(0, SceneSize.Big).Apply(scene).Objects[0];
        SceneObject before = scene.Objects[0];
        Assert.Equal(before with { Size = after.Size, Side = after.Side, CentreX = after.CentreX, CentreY = after.CentreY }, after);
        Assert.True(after.Side > before.Side);
        Assert.InRange(after.CentreX + (after.Side / 2), 0, 1);
    }

    [Theory]
    [InlineData(5, "does not exist")]
    [InlineData(0, "already")]
    public void Apply_ImpossibleSwap_SaysWhy(int index, string expected)
    {
        SceneDescription scene = ToyScenes.Sample(0, SceneSplit.Train);
        ArgumentException error = Assert.Throws<ArgumentException>(() => new ObjectSwap(index, SceneObjectKind.Panda).Apply(scene));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhyNot_ColourOfACat_NamesWhatHasColours() =>
        Assert.Contains(
            "a car, a balloon or a mushroom",
            new ColourChange(0, SceneColour.Red).WhyNot(ToyScenes.Sample(0, SceneSplit.Train)),
            StringComparison.Ordinal
        );

    private static string Without(string caption, IReadOnlyList<int> indices) => string.Join(' ', caption.Split(' ').Where((_, i) => !indices.Contains(i)));

    [Fact]
    public void RemoveObject_OneOfTwo_LeavesTheOther_AndItsMaskIsWhereItWas()
    {
        SceneDescription scene = Enumerable
            .Range(0, 100)
            .Select(i => ToyScenes.Sample(i, SceneSplit.Train, SceneDomain.Second.Scenes))
            .First(s => s.Objects.Count == 2);
        using SceneRenderer renderer = new SceneRenderer();
        foreach (int index in (int[])[0, 1])
        {
            SceneEditPlan plan = new RemoveObject(index).Plan(scene);
            Assert.Equal([scene.Objects[1 - index]], plan.Target.Objects);
            Assert.Contains(plan.SourceBlendWord!, plan.SourceCaption, StringComparison.Ordinal);
            Assert.Null(plan.TargetBlendWord);
            byte[] coverage = renderer.ObjectCoverage(scene, index, 64),
                mask = renderer.EditMask(plan, 64);
            Assert.Equal(coverage.Select(c => c > 0), mask.Select(m => m > 0));
        }
        Assert.Contains("only one object", new RemoveObject(0).WhyNot(new RemoveObject(0).Apply(scene)), StringComparison.Ordinal);
    }

    [Fact]
    public void WeatherStyleAndAmount_ChangeTheWholePicture_AndTheCaptionSaysSo()
    {
        SceneDescription scene = Enumerable.Range(0, 100).Select(i => ToyScenes.Sample(i, SceneSplit.Train)).First(s => !s.Night);
        using SceneRenderer renderer = new SceneRenderer();
        byte[] before = renderer.Render(scene, 64);
        foreach (
            (SceneEdit edit, string words) in ((SceneEdit, string)[])
                [
                    (new WeatherChange(SceneWeather.Rain), "in the rain"),
                    (new WeatherChange(SceneWeather.Fog), "in the fog"),
                    (new StyleChange(SceneStyle.Drawing), "a drawing of"),
                ]
        )
        {
            SceneEditPlan plan = edit.Plan(scene);
            Assert.Contains(words, plan.TargetCaption, StringComparison.Ordinal);
            Assert.All(renderer.EditMask(plan, 64), m => Assert.Equal(255, m));
            Assert.True(Difference(before, renderer.Render(plan.Target, 64)) > 8, words);
            Assert.Contains("already", edit.WhyNot(plan.Target), StringComparison.Ordinal);
        }
        SceneDescription fog = new WeatherChange(SceneWeather.Fog).Apply(scene);
        SceneEditPlan more = new WeatherAmountChange(1).Plan(fog);
        Assert.Equal(more.SourceCaption, more.TargetCaption);
        byte[] thick = renderer.Render(more.Target, 64);
        Assert.True(Difference(before, thick) > Difference(before, renderer.Render(fog, 64)));
        Assert.Contains("clear", new WeatherAmountChange(1).WhyNot(scene), StringComparison.Ordinal);
        Assert.Contains("night", new WeatherChange(SceneWeather.Rain).WhyNot(scene with { Night = true }), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("drawing", new StyleChange(SceneStyle.Drawing).WhyNot(fog), StringComparison.Ordinal);

        static double Difference(byte[] a, byte[] b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Average();
    }
}
