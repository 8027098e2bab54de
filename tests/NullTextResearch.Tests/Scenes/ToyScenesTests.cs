using NullTextResearch.Scenes;
using Xunit;

namespace NullTextResearch.Tests.Scenes;

public class ToyScenesTests
{
    [Fact]
    public void NextBits_OfSeedZero_AreTheSameOnEveryMachine()
    {
        // SplitMix64 by an independent implementation; Mix(0) = 0, so that this is the published stream of seed 0.
        SceneRandom random = new SceneRandom(0);
        Assert.Equal([0xE220A8397B1DCDAFUL, 0x6E789E6AA1B965F4UL, 0x06C45D188009454FUL], [random.NextBits(), random.NextBits(), random.NextBits()]);
    }

    [Fact]
    public void Index_OverManyDraws_IsEvenAndInRange()
    {
        SceneRandom random = new SceneRandom(5);
        int[] counts = new int[7];
        for (int i = 0; i < 7000; i++)
            counts[random.Index(7)]++;
        Assert.All(counts, c => Assert.InRange(c, 880, 1120));
    }

    [Theory]
    [InlineData(0, SceneSplit.Train, "a panda in the meadow")]
    [InlineData(7, SceneSplit.Train, "a green car in the desert at night")]
    [InlineData(15, SceneSplit.Train, "a purple balloon next to a dog in the desert")]
    [InlineData(3, SceneSplit.HeldOut, "a rocket in the sunset")]
    [InlineData(12, SceneSplit.HeldOut, "a yellow balloon next to a dog on the beach")]
    public void Sample_KnownSeed_MeansTheSameSceneForEver(long seed, SceneSplit split, string caption)
    {
        SceneDescription scene = ToyScenes.Sample(seed, split);
        Assert.Equal(caption, scene.Caption);
        Assert.Equal(scene, ToyScenes.Sample(seed, split));
        Assert.NotEqual(scene, ToyScenes.Sample(seed + 1, split));
    }

    [Fact]
    public void Sample_Train_NeverShowsAHeldOutCombination()
    {
        for (int seed = -500; seed < 3000; seed++)
            Assert.False(ToyScenes.Sample(seed, SceneSplit.Train).HasHeldOutCombination);
    }

    [Fact]
    public void Sample_HeldOut_ShowsHeldOutCombinationsInTheGivenShare()
    {
        int seen = Enumerable.Range(0, 2000).Count(s => ToyScenes.Sample(s, SceneSplit.HeldOut).HasHeldOutCombination);
        Assert.InRange(seen, 420, 580);
    }

    [Fact]
    public void Sample_TwoSplits_HaveDifferentBackgroundSeeds()
    {
        for (int seed = 0; seed < 500; seed++)
        {
            Assert.Equal(0, ToyScenes.Sample(seed, SceneSplit.Train).BackgroundSeed & 1);
            Assert.Equal(1, ToyScenes.Sample(seed, SceneSplit.HeldOut).BackgroundSeed & 1);
        }
    }

    [Fact]
    public void IsHeldOut_EveryKindAndColour_KeepsMostBackgroundsInTraining()
    {
        foreach (SceneObjectKind kind in ToyScenes.Kinds)
        {
            if (!ToyScenes.IsColourable(kind))
            {
                Assert.Single(ToyScenes.Backgrounds, b => ToyScenes.IsHeldOut(kind, null, b));
                continue;
            }
            foreach (SceneColour colour in ToyScenes.Colours)
                Assert.Equal(2, ToyScenes.Backgrounds.Count(b => ToyScenes.IsHeldOut(kind, colour, b)));
        }
    }

    [Fact]
    public void Sample_ManyScenes_KeepEveryObjectInsideThePictureAndApart()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train);
            foreach (SceneObject o in scene.Objects)
            {
                Assert.InRange(o.Side, 0.36, 0.75);
                Assert.InRange(o.CentreX - (o.Side / 2), 0, 1);
                Assert.InRange(o.CentreX + (o.Side / 2), 0, 1);
                Assert.InRange(o.CentreY - (o.Side / 2), 0, 1);
                Assert.InRange(o.CentreY + (o.Side / 2), 0.69, 0.95);
            }
            if (scene.Objects.Count == 2)
            {
                double gap = Math.Abs(scene.Objects[0].CentreX - scene.Objects[1].CentreX) - ((scene.Objects[0].Side + scene.Objects[1].Side) / 2);
                Assert.True(gap > -0.04, $"seed {seed}: objects overlap by {-gap:F3}");
                Assert.NotEqual(scene.Objects[0].Kind, scene.Objects[1].Kind);
            }
        }
    }

    [Fact]
    public void Sample_SecondDomain_ShowsWhatItsOptionsSay()
    {
        SceneDescription[] scenes = Enumerable.Range(0, 4000).Select(i => ToyScenes.Sample(i, SceneSplit.Train, SceneDomain.Second.Scenes)).ToArray();
        Assert.InRange(scenes.Average(s => s.Objects.Count - 1.0), 0.42, 0.48);
        Assert.InRange(scenes.Average(s => s.Style == SceneStyle.Drawing ? 1.0 : 0), 0.05, 0.09);
        Assert.InRange(scenes.Where(ToyScenes.AllowsWeather).Average(s => s.Weather == SceneWeather.Clear ? 0.0 : 1), 0.10, 0.14);
        Assert.All(scenes.Where(s => s.Weather != SceneWeather.Clear), s => Assert.True(ToyScenes.AllowsWeather(s)));
        // Both objects coloured in enough scenes to learn which colour is whose.
        Assert.InRange(scenes.Where(s => s.Objects.Count == 2).Average(s => s.Objects.All(o => o.Colour is not null) ? 1.0 : 0), 0.1, 0.3);
        Assert.All(ToyScenes.Kinds, k => Assert.True(scenes.Count(s => s.Objects.Any(o => o.Kind == k)) > 200));
    }
}
