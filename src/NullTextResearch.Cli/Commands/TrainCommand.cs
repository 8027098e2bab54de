using System.CommandLine;
using System.Globalization;
using System.Text;
using NullTextResearch.Cli.Running;
using NullTextResearch.Experiments;
using NullTextResearch.Tensors;
using NullTextResearch.Training;
using TorchSharp;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext train`: trains the small model from scratch, resumes a run, exports or evaluates it.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        Option<DirectoryInfo> run = new("--out")
        {
            Description = "Run folder: checkpoints, logs, sample grids. A run found there is resumed.",
            DefaultValueFactory = _ => new DirectoryInfo("training"),
        };
        Option<double> minutes = SharedOptions.Number("--minutes", "Total time for all stages; the recipe's proportions are kept.", 120, 0.001, 1e6);
        Option<int?> steps = new("--steps")
        {
            Description =
                "Optimiser steps of each stage, instead of --minutes: nothing then depends on the clock, and two runs with the same seed give bit-identical "
                + "weights, even when interrupted.",
        };
        steps.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int n) && n < 1)
                result.AddError($"--steps is {n}; it must be at least 1.");
        });
        Option<int> encoded = SharedOptions.Int(
            "--training-scenes",
            "Scenes encoded once for training the U-Net.",
            new TrainingRecipe().TrainingScenes,
            1,
            1_000_000
        );
        Option<double> checkpoint = SharedOptions.Number(
            "--checkpoint-seconds",
            "Seconds between checkpoints; the first comes after at most ten.",
            new TrainingRunOptions { Folder = "" }.CheckpointSeconds,
            0,
            86_400
        );
        Option<TrainingStages> stages = new("--stages") { Description = "Which stages to train.", DefaultValueFactory = _ => TrainingStages.All };
        Option<long> seed = new("--seed") { Description = "Seed for weights, scenes, captions and noise.", DefaultValueFactory = _ => 1 };
        Option<double?> rate = SharedOptions.OptionalNumber(
            "--rate",
            "Peak learning rate of text encoder and U-Net (default: the recipe's 0.001); use a lower one for a resumed run.",
            1e-9,
            1
        );
        Option<double> weak = SharedOptions.Number(
            "--weak-captions-from",
            "Fraction of the U-Net's training after which captions become weak and sometimes wrong, which softens guidance; 1: never.",
            1,
            0,
            1
        );
        Option<DirectoryInfo?> autoencoder = new("--autoencoder-from")
        {
            Description = "Model folder whose autoencoder is trained further, at two fifths of the rate, instead of a new one.",
        };
        Option<DirectoryInfo?> start = new("--from")
        {
            Description =
                "Model folder to start from, instead of random weights: its architecture and autoencoder are kept; its U-Net and text encoder are "
                + "trained further on this version's scenes and captions.",
        };
        Option<string> precision = new("--precision")
        {
            Description =
                "Precision of the activations; weights and optimiser are always fp32. auto: bf16 on a GPU and on processors with AVX-512, else fp32, which "
                + "is ten times faster there.",
            DefaultValueFactory = _ => "auto",
        };
        precision.AcceptOnlyFromAmong("auto", "fp32", "bf16");
        Option<string> device = SharedOptions.Device();
        Option<int> workers = SharedOptions.Int("--workers", "Threads that share each batch; 0 means one per processor, or one on a GPU.", 0, 0, 1024);
        Option<double> samples = SharedOptions.Number("--sample-minutes", "Minutes between held-out evaluations and sample grids.", 6, 0.001, 1e6);
        Option<DirectoryInfo?> export = new("--export")
        {
            Description = "Write the run's networks to this model folder (half precision) when the stages are done.",
        };
        Option<bool> evaluate = new("--evaluate")
        {
            Description =
                "Evaluate a model on held-out scenes instead of training, and print a Markdown table; --out keeps the numbers, so that an interrupted "
                + "evaluation resumes.",
        };
        Option<bool> claims = new("--claims")
        {
            Description =
                "Instead of training, test which of the paper's orderings a model shows, on --inverted scenes with paired intervals; print a Markdown "
                + "table, keep results in --out.",
        };
        Option<int[]> rows = new("--rows")
        {
            Description = "Numbers of leading null-text rows that --claims lets change, in addition to all of them.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        Option<int> timesteps = SharedOptions.Int("--timesteps", "T for --claims.", ExperimentSettings.Quick.Steps, 1, 999);
        Option<string?> model = new("--model")
        {
            Description = "Model folder, or owner/name of a pulled model, for --evaluate and --claims (default: sd-mini).",
        };
        Option<int> scenes = SharedOptions.Int("--scenes", "Held-out scenes for --evaluate.", 64, 1, 100_000);
        Option<int> inverted = SharedOptions.Int("--inverted", "Held-out scenes that --evaluate and --claims invert and edit.", 32, 1, 100_000);
        Option<int> variants = SharedOptions.Int(
            "--variants",
            "Held-out scenes on which --evaluate measures DDIM's curve and compares variants of null-text inversion; at most --inverted.",
            32,
            1,
            100_000
        );
        Option<string> edits = new("--edits")
        {
            Description = "Edits of --evaluate: all (two guidance scales, three injections), or the usual ones only (7.5, 0.8/0.4), a sixth of the work.",
            DefaultValueFactory = _ => "all",
        };
        edits.AcceptOnlyFromAmong("all", "usual");
        Command command = new("train", "Train the small text-to-image model of toy scenes from scratch, on any device.")
        {
            run,
            minutes,
            steps,
            encoded,
            checkpoint,
            stages,
            seed,
            rate,
            weak,
            autoencoder,
            start,
            precision,
            device,
            workers,
            samples,
            export,
            evaluate,
            claims,
            rows,
            timesteps,
            model,
            scenes,
            inverted,
            variants,
            edits,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(steps) is { Implicit: false } && result.GetResult(minutes) is { Implicit: false })
                result.AddError("--steps and --minutes exclude each other; give one.");
            if (result.GetValue(start) is not null && result.GetValue(autoencoder) is not null)
                result.AddError("--from keeps that model's autoencoder, --autoencoder-from trains another one; give one of the two.");
            if (result.GetValue(evaluate))
            {
                if (result.GetResult(export) is { Implicit: false })
                    result.AddError("--evaluate trains nothing, so there is nothing to --export; give one of the two.");
                if (result.GetValue(claims))
                    result.AddError("--evaluate and --claims exclude each other; give one.");
            }
            else if (result.GetValue(claims) && result.GetResult(export) is { Implicit: false })
            {
                result.AddError("--claims trains nothing, so there is nothing to --export; give one of the two.");
            }
            foreach (Option option in (Option[])[rows, timesteps])
            {
                if (result.GetResult(option) is { Implicit: false } && !result.GetValue(claims))
                    result.AddError($"{option.Name} is for --claims; give that too, or leave it out.");
            }
            if (result.GetValue(rows) is { } some && some.Any(r => r < 1))
                result.AddError("--rows must be at least 1.");
            if (result.GetValue(evaluate))
                return;
            if (result.GetValue(claims))
            {
                foreach (Option option in (Option[])[scenes, variants, edits])
                {
                    if (result.GetResult(option) is { Implicit: false })
                        result.AddError($"{option.Name} is for --evaluate; give that too, or leave it out.");
                }
                return;
            }
            foreach (Option option in (Option[])[model, scenes, inverted, variants, edits])
            {
                if (result.GetResult(option) is { Implicit: false })
                    result.AddError($"{option.Name} is for --evaluate; give that too, or leave it out.");
            }
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                string folder = parsed.GetValue(run)!.FullName;
                context.Kept = $"finished work is kept in {folder}: the same command resumes from there.";
                TrainingRecipe recipe = parsed.GetValue(steps) is { } fixedSteps
                    ? TrainingRecipe.Steps(fixedSteps)
                    : TrainingRecipe.Within(parsed.GetValue(minutes));
                recipe = recipe with
                {
                    Seed = parsed.GetValue(seed),
                    TrainingScenes = parsed.GetValue(encoded),
                    NoisyFrom = parsed.GetValue(weak),
                    ActivationDtype = parsed.GetValue(precision) is { } named and not "auto"
                        ? Precision.Parse(named)
                        : TrainingRecipe.FastestActivations(parsed.GetValue(device)!),
                };
                if (parsed.GetValue(autoencoder) is { } from)
                    recipe = recipe with { AutoencoderFrom = from.FullName, VaeStage = recipe.VaeStage with { Rate = 0.4 * recipe.VaeStage.Rate } };
                if (parsed.GetValue(start) is { } begin)
                    recipe = recipe with { ModelFrom = begin.FullName };
                if (parsed.GetValue(rate) is { } highest)
                    recipe = recipe with { UNetStage = recipe.UNetStage with { Rate = highest } };
                TrainingRunOptions options = new()
                {
                    Folder = folder,
                    CheckpointSeconds = parsed.GetValue(checkpoint),
                    SampleMinutes = parsed.GetValue(samples),
                };
                if (parsed.GetValue(claims))
                    return Claims(
                        options.Folder,
                        parsed.GetValue(device)!,
                        parsed.GetValue(workers),
                        parsed.GetValue(model),
                        parsed.GetValue(inverted),
                        parsed.GetValue(rows)!,
                        parsed.GetValue(timesteps),
                        context.Cancel
                    );
                return Run(
                    recipe,
                    options,
                    parsed.GetValue(stages),
                    parsed.GetValue(device)!,
                    parsed.GetValue(workers),
                    parsed.GetValue(export)?.FullName,
                    parsed.GetValue(evaluate),
                    parsed.GetValue(model),
                    new EvaluationOptions
                    {
                        Folder = options.Folder,
                        Scenes = parsed.GetValue(scenes),
                        InvertedScenes = parsed.GetValue(inverted),
                        VariantScenes = parsed.GetValue(variants),
                        UsualEditsOnly = parsed.GetValue(edits) == "usual",
                        Log = Console.WriteLine,
                    },
                    context.Cancel
                );
            }
        );
        return command.WithExamples(
            "nulltext train --minutes 30 --out runs/mini --export models/mini",
            "nulltext train --evaluate --model models/mini --out runs/evaluation",
            "nulltext train --claims --rows 29 --inverted 8 --out runs/claims"
        );
    }

    private static int Claims(string folder, string deviceName, int workers, string? model, int images, int[] rows, int timesteps, CancellationToken cancel)
    {
        torch.set_num_threads(1);
        torch.Device device = ComputeDevice.Parse(deviceName);
        if (workers == 0)
            workers = device.type == DeviceType.CPU ? Environment.ProcessorCount : 1;
        using OutputLock alone = OutputLock.OnFolder(folder);
        using StableDiffusion network = StableDiffusion.Load(
            SharedOptions.ModelPath(model ?? SharedOptions.EmbeddedModel),
            new ModelLoadOptions { Device = device },
            cancel
        );
        IReadOnlyList<ClaimRow> table = ClaimStudy.Run(
            network,
            images,
            [null, .. rows.Select(r => (int?)r)],
            ExperimentSettings.Quick with
            {
                Steps = timesteps,
                InnerSteps = [1, 10],
                GlobalPasses = [1, 10],
                BatchSize = 4,
            },
            new ResultCache(folder),
            workers,
            Console.WriteLine,
            cancel
        );
        Publish(folder, "claims.md", ClaimStudy.ToMarkdown(table));
        return 0;
    }

    /// <summary>Prints a table, and keeps it in the folder.</summary>
    private static void Publish(string folder, string name, string table)
    {
        WholeFile.Write(Path.Combine(folder, name), Encoding.UTF8.GetBytes(table));
        Console.WriteLine();
        Console.WriteLine(table);
    }

    private static int Run(
        TrainingRecipe recipe,
        TrainingRunOptions options,
        TrainingStages stages,
        string deviceName,
        int workers,
        string? export,
        bool evaluate,
        string? model,
        EvaluationOptions evaluation,
        CancellationToken cancel
    )
    {
        // The workers provide the parallelism: libtorch's own threads would only wait for each other.
        torch.set_num_threads(1);
        torch.Device device = ComputeDevice.Parse(deviceName);
        if (workers == 0)
            workers = device.type == DeviceType.CPU ? Environment.ProcessorCount : 1;
        options = options with { Device = device, Workers = workers, Progress = new Steps() };
        if (evaluate)
        {
            using OutputLock alone = OutputLock.OnFolder(options.Folder);
            using StableDiffusion network = StableDiffusion.Load(
                SharedOptions.ModelPath(model ?? SharedOptions.EmbeddedModel),
                new ModelLoadOptions { Device = device },
                cancel
            );
            using SceneClassifier judge = SceneClassifier.Load(
                network.Folder
                    ?? throw new CommandException(
                        $"--evaluate needs a model folder with its classifier, which 'nulltext train --export' writes; {model} is a single file."
                    ),
                device
            );
            IReadOnlyList<EvaluationRow> rows = new ModelEvaluation(network, judge, evaluation with { Workers = workers }).Run(cancel);
            Publish(options.Folder, "evaluation.md", ModelEvaluation.ToMarkdown(rows));
            return rows.Any(r => r.Met == false) ? 1 : 0;
        }

        // Shows that the model can be written before hours of training.
        using OutputLock? place = export is null ? null : OutputLock.OnFolder(export);
        using ModelTrainer trainer = new(recipe, options);
        if (stages != 0)
            trainer.Train(stages, cancel);
        if (export is not null)
        {
            trainer.Export(export);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wrote {export}"));
        }

        return 0;
    }

    /// <summary>Prints messages and, now and then, the progress of a stage.</summary>
    private sealed class Steps : IProgress<TrainingProgress>
    {
        private readonly LinePace _pace = new();
        private (string Name, double First, TimeSpan Started) _stage = ("", 0, default);

        public void Report(TrainingProgress value)
        {
            if (value.Step == 0)
            {
                Console.WriteLine(value.Message);
                return;
            }

            if (_stage.Name != value.Stage)
                _stage = (value.Stage, value.Progress, _pace.Elapsed);
            bool last = value.Progress >= 1;
            if (!_pace.IsDue() && !last)
                return;
            double done = value.Progress - _stage.First;
            string left =
                last || done <= 0 ? "" : $", about {Terminal.Time((_pace.Elapsed - _stage.Started) / done * (1 - value.Progress))} left in this stage";
            Console.WriteLine($"{value.Message}, {Terminal.Time(_pace.Elapsed)} so far{left}");
        }
    }
}
