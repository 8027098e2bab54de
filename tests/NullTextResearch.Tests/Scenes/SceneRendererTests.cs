using NullTextResearch.Scenes;
using Xunit;

namespace NullTextResearch.Tests.Scenes;

public class SceneRendererTests
{
    [Theory]
    [InlineData(64)]
    [InlineData(128)]
    public void Render_TwoRenderersAndAnyOrder_GiveTheSameBytes(int size)
    {
        using SceneRenderer a = new(),
            b = new();
        SceneDescription[] scenes = Enumerable.Range(0, 12).Select(i => ToyScenes.Sample(i, SceneSplit.HeldOut)).ToArray();
        byte[][] forward = scenes.Select(s => a.Render(s, size)).ToArray();
        byte[][] backward = scenes.Reverse().Select(s => b.Render(s, size)).Reverse().ToArray();
        for (int i = 0; i < scenes.Length; i++)
        {
            Assert.Equal(size * size * 3, forward[i].Length);
            Assert.Equal(forward[i], backward[i]);
        }
    }

    [Fact]
    public void Render_AnotherSize_ShowsTheSamePicture()
    {
        using SceneRenderer renderer = new SceneRenderer();
        for (int seed = 0; seed < 8; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.Train);
            byte[] small = renderer.Render(scene, 64),
                large = renderer.Render(scene, 128);
            double sum = 0;
            for (int y = 0; y < 64; y++)
            for (int x = 0; x < 64; x++)
            for (int c = 0; c < 3; c++)
            {
                int p = (((2 * y * 128) + (2 * x)) * 3) + c;
                sum += Math.Abs(small[(((y * 64) + x) * 3) + c] - ((large[p] + large[p + 3] + large[p + 384] + large[p + 387]) / 4.0));
            }
            Assert.InRange(sum / small.Length, 0, 4);
        }
    }

    [Fact]
    public void Render_EveryBackground_HasAColourOfItsOwn()
    {
        using SceneRenderer renderer = new SceneRenderer();
        double[][] means = ToyScenes.Backgrounds.Select(b => Mean(renderer.Render(Empty(b), 64))).ToArray();
        for (int i = 0; i < means.Length; i++)
        for (int j = 0; j < i; j++)
            Assert.True(Distance(means[i], means[j]) > 20, $"{ToyScenes.Backgrounds[i]} and {ToyScenes.Backgrounds[j]} look alike");
    }

    [Fact]
    public void ObjectMask_ChangedObject_CoversExactlyWhatChanged()
    {
        using SceneRenderer renderer = new SceneRenderer();
        for (int seed = 0; seed < 30; seed++)
        {
            SceneDescription scene = ToyScenes.Sample(seed, SceneSplit.HeldOut);
            for (int i = 0; i < scene.Objects.Count; i++)
            {
                int index = i;
                SceneDescription brighter = scene with { Objects = [.. scene.Objects.Select((o, k) => k == index ? o with { Light = o.Light * 0.5 } : o)] };
                byte[] a = renderer.Render(scene, 64),
                    b = renderer.Render(brighter, 64);
                byte[] mask = renderer.ObjectMask(scene, i, 64),
                    coverage = renderer.ObjectCoverage(scene, i, 64);
                int inside = 0,
                    seen = 0;
                for (int p = 0; p < mask.Length; p++)
                {
                    bool changed = a[3 * p] != b[3 * p] || a[(3 * p) + 1] != b[(3 * p) + 1] || a[(3 * p) + 2] != b[(3 * p) + 2];
                    if (changed)
                        Assert.True(coverage[p] > 0, $"seed {seed}: pixel {p} changed outside the object");
                    if (mask[p] == 255)
                    {
                        inside++;
                        seen += changed ? 1 : 0;
                    }
                }
                Assert.InRange(inside, 150, 64 * 64 / 2);
                Assert.True(seen > 0.99 * inside, $"seed {seed}: {inside - seen} of {inside} masked pixels did not change");
            }
        }
    }

    [Fact]
    public void ObjectMask_HiddenByALaterObject_IsEmpty()
    {
        using SceneRenderer renderer = new SceneRenderer();
        SceneObject small = new SceneObject
        {
            Kind = SceneObjectKind.Pig,
            CentreX = 0.5,
            CentreY = 0.55,
            Side = 0.2,
        };
        SceneObject big = small with { Kind = SceneObjectKind.Panda, Side = 0.8, CentreY = 0.5 };
        SceneDescription scene = Empty(SceneBackground.Snow) with { Objects = [small, big] };
        Assert.DoesNotContain((byte)255, renderer.ObjectMask(scene, 0, 64));
        Assert.Contains((byte)255, renderer.ObjectMask(scene, 1, 64));
    }

    [Fact]
    public void Render_ImpossibleRequests_SayWhatIsExpected()
    {
        using SceneRenderer renderer = new SceneRenderer();
        SceneDescription scene = Empty(SceneBackground.Snow);
        SceneObject car = new SceneObject
        {
            Kind = SceneObjectKind.Car,
            CentreX = 0.5,
            CentreY = 0.5,
            Side = 0.5,
        };
        Assert.Contains("16 to 2048", Assert.Throws<ArgumentOutOfRangeException>(() => renderer.Render(scene, 8)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "needs a colour",
            Assert.Throws<ArgumentException>(() => renderer.Render(scene with { Objects = [car] }, 64)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no night",
            Assert.Throws<ArgumentException>(() => renderer.Render(Empty(SceneBackground.Sunset) with { Night = true }, 64)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains("0 object", Assert.Throws<ArgumentOutOfRangeException>(() => renderer.ObjectMask(scene, 0, 64)).Message, StringComparison.Ordinal);
        Assert.Contains("12288 bytes", Assert.Throws<ArgumentException>(() => renderer.RenderInto(scene, 64, new byte[5])).Message, StringComparison.Ordinal);
    }

    private static SceneDescription Empty(SceneBackground background) =>
        new()
        {
            Background = background,
            BackgroundSeed = 17,
            Objects = [],
        };

    private static double[] Mean(byte[] rgb) => [.. Enumerable.Range(0, 3).Select(c => rgb.Where((_, i) => i % 3 == c).Average(v => (double)v))];

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b, (x, y) => (x - y) * (x - y)).Sum());
}
