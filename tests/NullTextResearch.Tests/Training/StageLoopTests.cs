using NullTextResearch.Training;
using NullTextResearch.Weights;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Training;

public sealed class StageLoopTests : IDisposable
{
    private readonly string _folder = TinyTraining.Folder();

    [Fact]
    public void Run_OnOneBatch_FitsIt()
    {
        using WeightSet weights = Weights();
        using FlatParameters parameters = new(weights);
        using WorkerPool pool = new(2);
        using StageLoop loop = new("fit", Schedule(200), TinyTraining.Options(_folder), pool, parameters, new AdamWSettings { WeightDecay = 0 });
        Tensor Loss() => weights.Trainable.Select(w => w.Value.sub(3).square().sum()).Aggregate((a, b) => a.add(b));
        double before = Loss().item<float>();

        loop.Run((_, _, _) => Loss(), _ => 0, TestContext.Current.CancellationToken);

        Assert.True(Loss().item<float>() < 1e-3 * before);
    }

    [Fact]
    public void Run_LossIsNotANumber_StopsAndNamesTheStepAndRecentLosses()
    {
        using WeightSet weights = Weights();
        using FlatParameters parameters = new(weights);
        using WorkerPool pool = new(1);
        using StageLoop loop = new("broken", Schedule(9), TinyTraining.Options(_folder), pool, parameters, new AdamWSettings());

        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() => loop.Run(
            (_, step, _) => weights.Trainable.Select(w => w.Value.square().sum()).Aggregate((a, b) => a.add(b)).mul(step == 4 ? double.NaN : 1), _ => 0, TestContext.Current.CancellationToken));

        Assert.Contains("step 4", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "broken.checkpoint")));
    }

    [Fact]
    public void Step_OneUpdate_EqualsTorchsAdamW()
    {
        using WeightSet weights = Weights();
        using FlatParameters parameters = new(weights);
        using WorkerPool pool = new(2);
        using FlatAdamW ours = new(parameters, pool, new AdamWSettings { Beta2 = 0.99, WeightDecay = 0.01, ClipNorm = 1e9 });
        using TorchSharp.Modules.Parameter theirs = new(parameters.Values.clone());
        using optim.Optimizer reference = optim.AdamW([theirs], lr: 1e-2, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.01);
        manual_seed(5);
        for (int step = 0; step < 4; step++)
        {
            Tensor first = randn(parameters.Count), second = randn(parameters.Count);
            theirs.grad = first.add(second).div(2);
            reference.step();
            ours.Step([first, second], step, 1e-2);
        }

        Assert.True(parameters.Values.sub(theirs).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void WorkerPool_JobThrows_RethrowsToTheCallerAndStaysUsable()
    {
        using WorkerPool pool = new(2);
        Assert.Throws<FormatException>(() => pool.Run(8, (_, job) =>
        {
            if (job == 3) throw new FormatException();
        }));

        int sum = 0;
        pool.Run(5, (_, job) => Interlocked.Add(ref sum, job));
        Assert.Equal(10, sum);
    }

    [Fact]
    public void Load_FileOfOtherSizes_IsRefused()
    {
        string path = Path.Combine(_folder, "state");
        using Tensor four = zeros(4), five = zeros(5);
        TrainingCheckpoint.Save(path, new Dictionary<string, double>(), new Dictionary<string, Tensor> { ["a"] = four });

        Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Load(path, new Dictionary<string, Tensor> { ["a"] = five }));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static StageSchedule Schedule(long steps) => new() { Steps = steps, Batch = 2, Parts = 2, WarmUp = 1, Rate = 0.1 };

    // Larger than one of the optimiser's pieces.
    private static WeightSet Weights()
    {
        WeightSet weights = new();
        weights.Root["layer"].Declare("weight", [300, 200], WeightInit.FanIn, 200);
        weights.Root["layer"].Declare("gain", [7], WeightInit.Ones);
        weights.Initialise(1, CPU, ScalarType.Float32);
        return weights;
    }
}
