using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Scenes;
using NullTextResearch.TestKit;
using NullTextResearch.Training;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

[LeavesNoTensors]
public class SceneEditJudgeTests
{
    private static readonly string Model = SourceTree.At("data", "models", "sd-mini");

    [Fact]
    public void Judge_TruthAndUneditedPicture_PassesTheFirstAndNeverTheSecond()
    {
        ToyEditDataset data = new(105);
        using SceneEditJudge judge = SceneEditJudge.Load(data, Model);
        int passed = 0;
        foreach (EditTask task in data.Tasks)
        {
            passed += judge.Judge(task, data.Truth(task)!) == true ? 1 : 0;
            Assert.False(judge.Judge(task, data.Picture(task)));
        }

        // The classifier is a network: it misses a few.
        Assert.InRange(passed, 100, 105);
    }

    [Fact]
    public void Judge_OtherEdit_Fails()
    {
        ToyEditDataset data = new(70);
        using SceneEditJudge judge = SceneEditJudge.Load(data, Model);
        for (int i = 0; i < data.Tasks.Count; i++)
            Assert.False(judge.Judge(data.Tasks[i], data.Truth(data.Tasks[(i + 7) % 70])!), data.Tasks[i].Id);
    }

    [Fact]
    public void Judge_UnknownTaskOrSize_IsNotJudged()
    {
        ToyEditDataset data = new(7);
        using SceneEditJudge judge = SceneEditJudge.Load(data, Model);
        EditTask other = new()
        {
            Id = "other",
            Kind = "swap",
            SourcePrompt = "a cat",
            TargetPrompt = "a dog",
        };
        Assert.Null(judge.Judge(other, data.Picture(data.Tasks[0])));
        Assert.Null(judge.Judge(data.Tasks[0], new RgbImage(32, 32, new byte[32 * 32 * 3])));
    }

    [Fact]
    public void Id_OtherWeights_IsAnother()
    {
        ToyEditDataset data = new(1);
        using SceneEditJudge shipped = SceneEditJudge.Load(data, Model),
            again = SceneEditJudge.Load(data, Model);
        using SceneClassifier random = new(SceneDomain.Second);
        random.Weights.Initialise(1, TorchSharp.torch.CPU, TorchSharp.torch.ScalarType.Float32);
        using SceneEditJudge other = new(data, random);
        Assert.Equal(shipped.Id, again.Id);
        Assert.StartsWith("toy-edit/1 ", shipped.Id, StringComparison.Ordinal);
        Assert.NotEqual(shipped.Id, other.Id);
    }

    [Fact]
    public void Create_ClassifierOfTheFirstDomain_IsRefused()
    {
        using SceneClassifier first = new(SceneDomain.First);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new SceneEditJudge(new ToyEditDataset(1), first));
        Assert.Contains("domain 2", refused.Message, StringComparison.Ordinal);
    }
}
