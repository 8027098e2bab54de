using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Training;
using NullTextResearch.Weights;
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
        Tensor Loss() => weights.Trainable.Select(w => w.Value.Plus(-3).Squared().sum()).Aggregate((a, b) => a.Plus(b));
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

        TrainingDivergedException error = Assert.Throws<TrainingDivergedException>(() =>
            loop.Run(
                (_, step, _) => weights.Trainable.Select(w => w.Value.Squared().sum()).Aggregate((a, b) => a.Plus(b)).Times(step == 4 ? double.NaN : 1),
                _ => 0,
                TestContext.Current.CancellationToken
            )
        );

        Assert.Contains("step 4", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "broken.checkpoint")));
    }

    [Fact]
    public void Step_OneUpdate_EqualsTorchsAdamW()
    {
        using WeightSet weights = Weights();
        using FlatParameters parameters = new(weights);
        using WorkerPool pool = new(2);
        using FlatAdamW ours = new(
            parameters,
            pool,
            new AdamWSettings
            {
                Beta2 = 0.99,
                WeightDecay = 0.01,
                ClipNorm = 1e9,
            }
        );
        using TorchSharp.Modules.Parameter theirs = new(parameters.Values.clone());
        using optim.Optimizer reference = optim.AdamW([theirs], lr: 1e-2, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.01);
        manual_seed(5);
        for (int step = 0; step < 4; step++)
        {
            Tensor first = randn(parameters.Count),
                second = randn(parameters.Count);
            theirs.grad = first.Plus(second).Over(2);
            reference.step();
            ours.Step([first, second], step, 1e-2);
        }

        Assert.True(parameters.Values.sub(theirs).abs().max().item<float>() < 1e-6);
    }

    [Fact]
    public void WorkerPool_JobThrows_RethrowsToTheCallerAndStaysUsable()
    {
        using WorkerPool pool = new(2);
        Assert.Throws<FormatException>(() =>
            pool.Run(
                8,
                (_, job) =>
                {
                    if (job == 3)
                        throw new FormatException();
                }
            )
        );

        int sum = 0;
        pool.Run(5, (_, job) => Interlocked.Add(ref sum, job));
        Assert.Equal(10, sum);
    }

    [Fact]
    public void Load_FileOfOtherSizes_IsRefused()
    {
        string path = Path.Combine(_folder, "state");
        using Tensor four = zeros(4),
            five = zeros(5);
        TrainingCheckpoint.Save(path, new Dictionary<string, double>(), new Dictionary<string, Tensor> { ["a"] = four });

        TrainingFileException error = Assert.Throws<TrainingFileException>(() =>
            TrainingCheckpoint.Load(path, new Dictionary<string, Tensor> { ["a"] = five })
        );
        Assert.False(error.IsDamage);
        Assert.Contains("other sizes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AnyByteFlippedOrCutOff_IsRefusedAndCopiesNothing()
    {
        string path = Path.Combine(_folder, "state");
        using Tensor four = tensor((float[])[1, 2, 3, 4]),
            target = zeros(4);
        Dictionary<string, Tensor> vectors = new() { ["a"] = target };
        TrainingCheckpoint.Save(path, new Dictionary<string, double> { ["step"] = 7 }, new Dictionary<string, Tensor> { ["a"] = four });
        byte[] good = File.ReadAllBytes(path);
        for (int at = 0; at < good.Length; at++)
        {
            byte[] bad = [.. good];
            bad[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(path, bad);
            // One flipped bit makes the mark of this version that of the one before, which is refused in other words.
            TrainingFileException flipped = Assert.Throws<TrainingFileException>(() => TrainingCheckpoint.Load(path, vectors));
            Assert.True(flipped.IsDamage || at == 8, $"byte {at}: {flipped.Message}");
            File.WriteAllBytes(path, good[..at]);
            Assert.True(Assert.Throws<TrainingFileException>(() => TrainingCheckpoint.Load(path, vectors)).IsDamage);
        }

        Assert.Equal(0, target.abs().max().item<float>());
        File.WriteAllBytes(path, good);
        Assert.Equal(7, TrainingCheckpoint.Load(path, vectors)["step"]);
        Assert.Equal(4, target.max().item<float>());
    }

    [Fact]
    public void Load_CheckpointOfTheVersionWithoutChecksums_SaysWhatToDo()
    {
        string path = Path.Combine(_folder, "state");
        File.WriteAllBytes(path, [.. "NTRTRAIN1"u8, 2, (byte)'{', (byte)'}']);
        TrainingFileException error = Assert.Throws<TrainingFileException>(() => TrainingCheckpoint.LoadLast(path, new Dictionary<string, Tensor>(), out _));
        Assert.Contains("older version", error.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void LoadLast_LastStateDamaged_TakesTheOneBeforeAndSaysSo_WithNoneRefuses()
    {
        string path = Path.Combine(_folder, "state");
        using Tensor vector = zeros(4);
        Dictionary<string, Tensor> vectors = new() { ["a"] = vector };
        for (int step = 1; step <= 2; step++)
        {
            vector.Fill(step);
            TrainingCheckpoint.Save(path, new Dictionary<string, double> { ["step"] = step }, vectors, keepPrevious: true);
        }

        Assert.Equal(2, TrainingCheckpoint.LoadLast(path, vectors, out string? note)!["step"]);
        Assert.Null(note);
        Damage(path);
        Assert.Equal(1, TrainingCheckpoint.LoadLast(path, vectors, out note)!["step"]);
        Assert.Contains("checksum", note, StringComparison.Ordinal);
        Assert.Equal(1, vector.max().item<float>());
        // It has its place again, and the damaged one is gone.
        Assert.Equal(1, TrainingCheckpoint.LoadLast(path, vectors, out note)!["step"]);
        Assert.Null(note);
        Damage(path);
        Assert.Contains(
            "delete it",
            Assert.Throws<TrainingFileException>(() => TrainingCheckpoint.LoadLast(path, vectors, out _)).Message,
            StringComparison.Ordinal
        );

        // Killed between putting the old state aside and the new one in its place.
        TrainingCheckpoint.Save(TrainingCheckpoint.Previous(path), new Dictionary<string, double> { ["step"] = 3 }, vectors);
        File.Delete(path);
        Assert.Equal(3, TrainingCheckpoint.LoadLast(path, vectors, out note)!["step"]);
        Assert.Null(note);

        static void Damage(string file)
        {
            using FileStream stream = File.OpenWrite(file);
            stream.Seek(-40, SeekOrigin.End);
            stream.WriteByte(0x55);
        }
    }

    [Fact]
    public void Run_CheckpointIntervalLong_KeepsTheFirstStateSoon()
    {
        using WeightSet weights = Weights();
        using FlatParameters parameters = new(weights);
        using WorkerPool pool = new(1);
        TrainingRunOptions options = TinyTraining.Options(_folder) with { CheckpointSeconds = 0 };
        List<bool> there = [];
        using StageLoop loop = new("soon", Schedule(3), options, pool, parameters, new AdamWSettings());
        loop.Run(
            (_, _, _) =>
            {
                there.Add(File.Exists(Path.Combine(_folder, "soon.checkpoint")));
                return weights.Trainable.Select(w => w.Value.Squared().sum()).Aggregate((a, b) => a.Plus(b));
            },
            _ => 0,
            TestContext.Current.CancellationToken
        );
        Assert.Equal([false, false, true, true, true, true], there);
        Assert.InRange(StageLoop.SecondsToTheFirst, 1, 10);
    }

    [Fact]
    public void Run_WhatTheLogHoldsBeyondTheLastState_IsCutOff()
    {
        string log = Path.Combine(_folder, "fit.csv");
        File.WriteAllText(log, "step,samples,loss,held_out,rate,seconds\n5,10,1,,0.1,3\n6,1");
        using WeightSet weights = Weights();
        using FlatParameters parameters = new(weights);
        using WorkerPool pool = new(1);
        using StageLoop loop = new("fit", Schedule(2), TinyTraining.Options(_folder), pool, parameters, new AdamWSettings());
        loop.Run(
            (_, _, _) => weights.Trainable.Select(w => w.Value.Squared().sum()).Aggregate((a, b) => a.Plus(b)),
            _ => 0,
            TestContext.Current.CancellationToken
        );
        string[] rows = File.ReadAllLines(log);
        Assert.StartsWith("step,", rows[0], StringComparison.Ordinal);
        Assert.Equal(["1", "2", "2"], rows[1..].Select(r => r.Split(',')[0]));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static StageSchedule Schedule(long steps) =>
        new()
        {
            Steps = steps,
            Batch = 2,
            Parts = 2,
            WarmUp = 1,
            Rate = 0.1,
        };

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
