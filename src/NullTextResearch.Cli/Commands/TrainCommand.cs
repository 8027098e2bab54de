using System.CommandLine;
using System.Globalization;
using NullTextResearch.Cli.Running;
using NullTextResearch.Training;
using TorchSharp;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext train`: trains the small model from nothing, continues a run, exports it or measures it.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Option<DirectoryInfo> run = new("--out") { Description = "Folder of the run: checkpoints, logs, sample grids. A run found there is continued.", DefaultValueFactory = _ => new DirectoryInfo("training") };
        Option<double> minutes = new("--minutes") { Description = "Time for all stages together; the recipe's proportions are kept.", DefaultValueFactory = _ => 120 };
        Option<int?> steps = new("--steps") { Description = "Optimiser steps of each stage, in place of --minutes: then nothing depends on the clock, and two runs of one seed give the same weights to the last bit, also when they are interrupted." };
        steps.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int n) && n < 1) result.AddError($"--steps is {n}; it must be at least 1.");
        });
        Option<int> encoded = SharedOptions.Int("--training-scenes", "Scenes that are encoded once for the training of the U-Net.", new TrainingRecipe().TrainingScenes, 1, 1_000_000);
        Option<double> checkpoint = SharedOptions.Number("--checkpoint-seconds", "Seconds between checkpoints; the first comes after ten at most.", new TrainingRunOptions { Folder = "" }.CheckpointSeconds, 0, 86_400);
        Option<TrainingStages> stages = new("--stages") { Description = "Which stages to train.", DefaultValueFactory = _ => TrainingStages.All };
        Option<long> seed = new("--seed") { Description = "Seed of weights, scenes, captions and noise.", DefaultValueFactory = _ => 1 };
        Option<double?> rate = new("--rate") { Description = "Highest learning rate of text encoder and U-Net (default: the recipe's 0.001); a lower one for a run that is continued." };
        Option<string> device = new("--device") { Description = "cpu, cuda or cuda:N.", DefaultValueFactory = _ => "cpu" };
        Option<int> workers = new("--workers") { Description = "Threads that share out each batch; 0 means one per processor, or one on a GPU.", DefaultValueFactory = _ => 0 };
        Option<double> samples = new("--sample-minutes") { Description = "Minutes between held-out measures and sample grids.", DefaultValueFactory = _ => 6 };
        Option<DirectoryInfo?> export = new("--export") { Description = "Write the run's networks to this model folder (half precision) when the stages are done." };
        Option<bool> evaluate = new("--evaluate") { Description = "Measure a model on held-out scenes instead of training, and print a Markdown table; --out keeps the numbers, so that an interrupted evaluation goes on." };
        Option<string?> model = new("--model") { Description = "Model folder, or owner/name of a pulled model, that --evaluate measures; sd-mini if not given." };
        Option<int> scenes = new("--scenes") { Description = "Held-out scenes that --evaluate looks at.", DefaultValueFactory = _ => 64 };
        Option<int> inverted = new("--inverted") { Description = "Held-out scenes that --evaluate inverts and edits.", DefaultValueFactory = _ => 32 };
        Option<int> variants = new("--variants") { Description = "Held-out scenes on which --evaluate compares variants of null-text inversion.", DefaultValueFactory = _ => 32 };
        Command command = new("train", "Train the small text-to-image model of toy scenes, from nothing, on any device.")
        {
            run, minutes, steps, encoded, checkpoint, stages, seed, rate, device, workers, samples, export, evaluate, model, scenes, inverted, variants,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(steps) is { Implicit: false } && result.GetResult(minutes) is { Implicit: false }) result.AddError("--steps and --minutes exclude each other; give one.");
        });
        CommandRunner.Handle(command, (parsed, context) =>
        {
            string folder = parsed.GetValue(run)!.FullName;
            context.Kept = $"what was done is kept in {folder}: the same command goes on from there.";
            TrainingRecipe recipe = parsed.GetValue(steps) is { } fixedSteps ? TrainingRecipe.Steps(fixedSteps) : TrainingRecipe.Within(parsed.GetValue(minutes));
            recipe = recipe with { Seed = parsed.GetValue(seed), TrainingScenes = parsed.GetValue(encoded) };
            if (parsed.GetValue(rate) is { } highest) recipe = recipe with { UNetStage = recipe.UNetStage with { Rate = highest } };
            TrainingRunOptions options = new() { Folder = folder, CheckpointSeconds = parsed.GetValue(checkpoint), SampleMinutes = parsed.GetValue(samples) };
            return Run(
                recipe, options, parsed.GetValue(stages), parsed.GetValue(device)!, parsed.GetValue(workers),
                parsed.GetValue(export)?.FullName, parsed.GetValue(evaluate), parsed.GetValue(model), parsed.GetValue(scenes), parsed.GetValue(inverted), parsed.GetValue(variants), context.Cancel);
        });
        return command;
    }

    private static int Run(TrainingRecipe recipe, TrainingRunOptions options, TrainingStages stages, string deviceName, int workers, string? export, bool evaluate, string? model, int scenes, int inverted, int variants, CancellationToken cancel)
    {
        // Workers bring the parallelism: libtorch's own threads would only wait for each other.
        torch.set_num_threads(1);
        torch.Device device = torch.device(deviceName);
        if (workers == 0) workers = device.type == DeviceType.CPU ? Environment.ProcessorCount : 1;
        options = options with { Device = device, Workers = workers, Progress = new Lines<TrainingProgress>(p => p.Message) };
        if (evaluate)
        {
            using OutputLock alone = OutputLock.OnFolder(options.Folder);
            using StableDiffusion network = StableDiffusion.Load(SharedOptions.ModelPath(model ?? SharedOptions.EmbeddedModel), new ModelLoadOptions { Device = device }, cancel);
            using SceneClassifier judge = SceneClassifier.Load(network.Folder ?? throw new CommandException($"--evaluate needs a model folder with its classifier, which 'nulltext train --export' writes; {model} is a single file."), device);
            EvaluationOptions what = new() { Folder = options.Folder, Workers = workers, Scenes = scenes, InvertedScenes = inverted, VariantScenes = variants, Progress = new Lines<string>(s => s) };
            IReadOnlyList<EvaluationRow> rows = new ModelEvaluation(network, judge, what).Run(cancel);
            Console.WriteLine();
            Console.WriteLine(ModelEvaluation.ToMarkdown(rows));
            return rows.Any(r => r.Met == false) ? 1 : 0;
        }

        // Shows that the model can be written, before the hours of training.
        using OutputLock? place = export is null ? null : OutputLock.OnFolder(export);
        using ModelTrainer trainer = new(recipe, options);
        if (stages != 0) trainer.Train(stages, cancel);
        if (export is not null)
        {
            trainer.Export(export);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wrote {export}"));
        }

        return 0;
    }

    /// <summary>Reports in order, on the thread that reports.</summary>
    private sealed class Lines<T>(Func<T, string> text) : IProgress<T>
    {
        public void Report(T value) => Console.WriteLine(text(value));
    }
}
