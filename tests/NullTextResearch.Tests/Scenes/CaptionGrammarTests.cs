using NullTextResearch.Scenes;
using Xunit;

namespace NullTextResearch.Tests.Scenes;

public class CaptionGrammarTests
{
    [Fact]
    public void Words_AllCaptions_UseNoOther_AndEveryWordIsUsed()
    {
        HashSet<string> words = CaptionGrammar.Words.ToHashSet();
        HashSet<string> used = new HashSet<string>();
        SceneRandom random = new SceneRandom(1);
        for (int seed = 0; seed < 4000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            foreach (string caption in (string[])[scene.Caption, CaptionGrammar.NoisyCaption(scene, random)])
                used.UnionWith(caption.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        Assert.Empty(used.Except(words));
        Assert.Empty(words.Except(used));
        Assert.All(words, w => Assert.Matches("^[a-z]+$", w));
    }

    [Fact]
    public void Phrase_AllBackgrounds_HaveThreeWords() => Assert.All(ToyScenes.Backgrounds, b => Assert.Equal(3, CaptionGrammar.Phrase(b).Split(' ').Length));

    [Fact]
    public void NoisyCaption_CleanLevels_IsTheTrueCaptionOrEmpty()
    {
        SceneRandom random = new SceneRandom(2);
        int empty = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train);
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
        SceneRandom random = new SceneRandom(3);
        int empty = 0,
            colourless = 0,
            wrongColour = 0,
            coloured = 0;
        for (int seed = 0; seed < 12000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train);
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
        SceneDescription scene = ToyScenes.Sample(4, SceneSplit.Train);
        Assert.Equal("", CaptionGrammar.CleanCaption(scene, new SceneRandom(1), 1));
        Assert.Equal(scene.Caption, CaptionGrammar.CleanCaption(scene, new SceneRandom(1), 0));
    }

    [Fact]
    public void FreeCaptions_AllWords_AreKnown_Used_AndFitTheContext()
    {
        HashSet<string> words = SceneDomain.Second.Words.ToHashSet();
        HashSet<string> used = new HashSet<string>();
        SceneRandom random = new SceneRandom(6);
        for (int seed = 0; seed < 30_000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut, SceneDomain.Second.Scenes);
            WrittenCaption caption = CaptionGrammar.WriteNoisy(scene, random, CaptionNoise.Noisy with { Free = 0.9 });
            string[] tokens = caption.Text.Replace(",", " ,", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(tokens.Length, caption.Tokens);
            Assert.True(caption.Tokens <= SceneDomain.Second.Context - 2, caption.Text);
            used.UnionWith(tokens.Where(t => t != ","));
        }
        Assert.Empty(used.Except(words));
        Assert.Empty(words.Except(used));
        Assert.All(words, w => Assert.Matches("^[a-z]+$", w));
        Assert.Empty(SceneDomain.First.Words.Except(words));
    }

    [Fact]
    public void FreeCaptions_NamedTokens_AreTheWordsOfObjectsAndPlace()
    {
        SceneRandom random = new SceneRandom(7);
        for (int seed = 0; seed < 2000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train, SceneDomain.Second.Scenes);
            WrittenCaption caption = CaptionGrammar.WriteNoisy(scene, random, CaptionNoise.Clean with { Empty = 0, Free = 1 });
            string[] tokens = caption.Text.Replace(",", " ,", StringComparison.Ordinal).Split(' ');
            for (int i = 0; i < scene.Objects.Count; i++)
            {
                int expected = 1 + (scene.Objects[i].Colour is null ? 0 : 1) + (scene.Objects[i].Size == SceneSize.Normal ? 0 : 1);
                Assert.Equal(expected, caption.Named.Count(n => n.Object == i));
                if (scene.Objects[i].Kind == SceneObjectKind.Tree)
                    Assert.Contains(caption.Named, n => n.Object == i && tokens[n.Token - 1] == "tree");
                if (scene.Objects[i].Colour == SceneColour.Blue)
                    Assert.Contains(caption.Named, n => n.Object == i && tokens[n.Token - 1] == "blue");
            }
            Assert.Single(caption.Named, n => n.Object is null);
        }
    }

    [Fact]
    public void FreeCaptions_Sides_AreTrue()
    {
        SceneRandom random = new SceneRandom(8);
        int told = 0;
        for (int seed = 0; seed < 4000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train, SceneDomain.Second.Scenes);
            if (scene.Objects.Count < 2)
                continue;
            WrittenCaption caption = CaptionGrammar.WriteNoisy(scene, random, CaptionNoise.Clean with { Empty = 0, Free = 1 });
            int first = caption.Named.First(n => n.Object is not null).Object!.Value;
            double own = scene.Objects[first].CentreX,
                other = scene.Objects[1 - first].CentreX;
            if (caption.Text.Contains("to the left of", StringComparison.Ordinal) || caption.Text.Contains("on the left and", StringComparison.Ordinal))
            {
                Assert.True(own < other, caption.Text);
                told++;
            }
            if (caption.Text.Contains("to the right of", StringComparison.Ordinal) || caption.Text.Contains("on the right and", StringComparison.Ordinal))
            {
                Assert.True(own > other, caption.Text);
                told++;
            }
        }
        Assert.True(told > 400);
    }

    [Theory]
    [InlineData("in")]
    [InlineData("on")]
    [InlineData("at")]
    [InlineData("the")]
    public void FreeCaptions_FunctionWords_TellNothingOfThePlace(string word)
    {
        SceneRandom random = new SceneRandom(9);
        int[] with = new int[ToyScenes.Backgrounds.Count];
        int[] all = new int[with.Length];
        // Night and weather have prepositions of their own: the scenes of the first domain by day.
        SceneSamplerOptions options = SceneDomain.First.Scenes with
        {
            Night = 0,
        };
        for (int seed = 0; seed < 16_000; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train, options);
            all[(int)scene.Background]++;
            if (CaptionGrammar.DescribeFreely(scene, random).Split(' ').Contains(word))
                with[(int)scene.Background]++;
        }
        double[] shares = [.. with.Zip(all, (w, n) => (double)w / n)];
        // Four standard errors of a share of 2,000 captions.
        Assert.True(shares.Max() - shares.Min() < 0.06, string.Join(", ", shares));
    }

    [Fact]
    public void NoisyCaption_WrongWords_NameNothing()
    {
        SceneRandom random = new SceneRandom(10);
        CaptionNoise noise = CaptionNoise.Clean with { Empty = 0, WrongObject = 1, WrongBackground = 1 };
        for (int seed = 0; seed < 100; seed++)
            Assert.Empty(CaptionGrammar.WriteNoisy(ToyScenes.Sample(seed, SceneSplit.Train), random, noise).Named);
    }
}
