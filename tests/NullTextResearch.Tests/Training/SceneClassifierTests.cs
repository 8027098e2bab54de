using NullTextResearch.Scenes;
using NullTextResearch.Training;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Training;

public sealed class SceneClassifierTests : IDisposable
{
    private readonly string _folder = TinyTraining.Folder();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Judge_EitherDomain_GivesProbabilitiesOfAllItTellsApart(int version)
    {
        using SceneClassifier judge = new(SceneDomain.Find(version));
        judge.Weights.Initialise(1, CPU, ScalarType.Float32);
        using Tensor pixels = zeros(2, 3, 64, 64);
        IReadOnlyList<SceneJudgement> seen = judge.Judge(pixels);
        Assert.Equal(2, seen.Count);
        Assert.Equal(ToyScenes.Kinds.Count, seen[0].Objects.Count);
        AssertDistribution(seen[0].Backgrounds, ToyScenes.Backgrounds.Count);
        AssertDistribution(seen[0].Colours, ToyScenes.Colours.Count);
        if (version == 1)
        {
            Assert.Empty(seen[0].ColoursOf);
            Assert.Empty(seen[0].Weathers);
            return;
        }

        Assert.Equal(ToyScenes.Kinds.Where(ToyScenes.IsColourable), seen[0].ColoursOf.Keys.Order());
        Assert.All(seen[0].ColoursOf.Values, c => AssertDistribution(c, ToyScenes.Colours.Count));
        Assert.Equal(ToyScenes.Kinds.Count, seen[0].Left.Count);
        AssertDistribution(seen[0].Nights, 2);
        AssertDistribution(seen[0].Weathers, 3);
        AssertDistribution(seen[0].Styles, 2);

        static void AssertDistribution(IReadOnlyList<float> values, int count)
        {
            Assert.Equal(count, values.Count);
            Assert.Equal(1, values.Sum(), 3);
        }
    }

    [Fact]
    public void Agree_TwoObjects_ComparesColoursAndSidesByKind()
    {
        SceneObject car = new()
        {
            Kind = SceneObjectKind.Car,
            Colour = SceneColour.Blue,
            CentreX = 0.7,
            CentreY = 0.7,
            Side = 0.4,
        };
        SceneObject balloon = new()
        {
            Kind = SceneObjectKind.Balloon,
            Colour = SceneColour.Red,
            CentreX = 0.3,
            CentreY = 0.7,
            Side = 0.4,
        };
        SceneDescription scene = new()
        {
            Background = SceneBackground.Snow,
            BackgroundSeed = 0,
            Objects = [car, balloon],
        };
        float[] left = new float[ToyScenes.Kinds.Count];
        left[(int)SceneObjectKind.Balloon] = 0.9f;
        left[(int)SceneObjectKind.Car] = 0.2f;
        SceneJudgement seen = new(new float[12], new float[8], new float[5])
        {
            ColoursOf = new Dictionary<SceneObjectKind, IReadOnlyList<float>>
            {
                [SceneObjectKind.Car] = [0, 1, 0, 0, 0],
                [SceneObjectKind.Balloon] = [1, 0, 0, 0, 0],
            },
            Left = left,
            Nights = [0.8f, 0.2f],
            Weathers = [0.1f, 0.7f, 0.2f],
            Styles = [1, 0],
        };
        Assert.True(seen.ColoursAgree(scene));
        Assert.False(seen.ColoursAgree(scene with { Objects = [car with { Colour = SceneColour.Red }, balloon] }));
        Assert.True(seen.SidesAgree(scene));
        Assert.False(seen.SidesAgree(scene with { Objects = [car with { CentreX = 0.1 }, balloon] }));
        Assert.False(seen.AirAgrees(scene));
        Assert.True(seen.AirAgrees(scene with { Weather = SceneWeather.Rain }));
    }

    [Fact]
    public void DomainOf_NoFileIsTheFirst_AnUnknownNumberIsRefused()
    {
        Assert.Equal(1, SceneClassifier.DomainOf(_folder).Version);
        string path = Path.Combine(_folder, "classifier", "config.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "{\"domain\": 2}");
        Assert.Same(SceneDomain.Second, SceneClassifier.DomainOf(_folder));
        foreach (string bad in (string[])["{\"domain\": 9}", "{\"domain\": \"x\"}", "{}", "[", "7"])
        {
            File.WriteAllText(path, bad);
            Assert.Contains("domain", Assert.Throws<ModelFormatException>(() => SceneClassifier.DomainOf(_folder)).Message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
