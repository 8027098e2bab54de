using NullTextResearch.Scenes;
using Xunit;

namespace NullTextResearch.Tests.Scenes;

public class CaptionGrammarTests
{
    [Fact]
    public void Words_AllCaptions_UseNoOther_AndEveryWordIsUsed()
    {
        var words = CaptionGrammar.Words.ToHashSet();
        var used = new HashSet<string>();
        var random = new SceneRandom(1);
        for (int seed = 0; seed < 4000; seed++)
        {
            var scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            foreach (string caption in (string[])[scene.Caption, CaptionGrammar.NoisyCaption(scene, random)])
                used.UnionWith(caption.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        Assert.Empty(used.Except(words));
        Assert.Empty(words.Except(used));
        Assert.All(words, w => Assert.Matches("^[a-z]+$", w));
    }

    [Fact]
    public void Phrase_AllBackgrounds_HaveThreeWords() =>
        Assert.All(ToyScenes.Backgrounds, b => Assert.Equal(3, CaptionGrammar.Phrase(b).Split(' ').Length));

    [Fact]
    public void NoisyCaption_CleanLevels_IsTheTrueCaptionOrEmpty()
    {
        var random = new SceneRandom(2);
        int empty = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            var scene = ToyScenes.Sample(seed, SceneSplit.Train);
            string caption = CaptionGrammar.NoisyCaption(scene, random, CaptionNoise.Clean);
            if (caption.Length == 0)
                empty++;
            else
                Assert.Equal(scene.Caption, caption);
        }
        Assert.InRange(empty, 150, 250);
    }

    [Fact]
    public void NoisyCaption_Defaults_AreWrongAndEmptyAsOftenAsTheySay()
    {
        var random = new SceneRandom(3);
        int empty = 0, colourless = 0, wrongColour = 0, coloured = 0;
        for (int seed = 0; seed < 12000; seed++)
        {
            var scene = ToyScenes.Sample(seed, SceneSplit.Train);
            if (scene.Objects.Count > 1)
                continue;
            string caption = CaptionGrammar.NoisyCaption(scene, random);
            if (scene.Objects[0].Colour is not { } colour)
                continue;
            coloured++;
            string[] named = [.. caption.Split(' ').Intersect(ToyScenes.Colours.Select(CaptionGrammar.Word))];
            if (caption.Length == 0)
                empty++;
            else if (named.Length == 0)
                colourless++;
            else if (named[0] != CaptionGrammar.Word(colour))
                wrongColour++;
        }
        Assert.InRange((double)empty / coloured, 0.12, 0.18);
        Assert.InRange((double)colourless / (coloured - empty), 0.31, 0.39);
        Assert.InRange((double)wrongColour / (coloured - empty - colourless), 0.09, 0.15);
    }

    [Fact]
    public void CleanCaption_AtTheEnds_IsAlwaysOrNeverEmpty()
    {
        var scene = ToyScenes.Sample(4, SceneSplit.Train);
        Assert.Equal("", CaptionGrammar.CleanCaption(scene, new SceneRandom(1), 1));
        Assert.Equal(scene.Caption, CaptionGrammar.CleanCaption(scene, new SceneRandom(1), 0));
    }
}
