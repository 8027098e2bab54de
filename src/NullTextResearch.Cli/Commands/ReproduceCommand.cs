using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using NullTextResearch.Benchmarks;
using NullTextResearch.Cli.Reproduce;
using NullTextResearch.Cli.Running;
using NullTextResearch.Experiments;
using NullTextResearch.Figures.Paper;
using NullTextResearch.Images;
using NullTextResearch.Loading;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext reproduce`: the paper's experiments, as charts, grids, tables and manifests.</summary>
internal static class ReproduceCommand
{
    public static Command Create()
    {
        Option<string> figures = new("--figures")
        {
            HelpName = "figures",
            Description = "Figures to make, separated by commas: numbers of the paper's figures (1 2 4 5 8 9 10 12 13 14 15), global, ablations.",
            DefaultValueFactory = _ => "all",
        };
        figures.CompletionSources.Add([.. PaperFigure.All.SelectMany(f => f.Aliases.Prepend(f.Id)), "all"]);
        figures.Validators.Add(result =>
        {
            if (result.Tokens.Count != 1)
                return;
            try
            {
                PaperFigure.Parse(result.Tokens[0].Value);
            }
            catch (ArgumentException e)
            {
                result.AddError(e.Message);
            }
        });
        ModelOptions model = new();
        Option<string?> images = new("--images")
        {
            HelpName = "toy|photos|folder",
            Description =
                $"{ExperimentImages.ToyName} (rendered held-out scenes), {ExperimentImages.PhotographsName} (the photographs that come with the "
                + "program), or a folder of images, each with a .txt file of the same name (caption; further lines: prompts of edits, with | word to "
                + $"confine an edit to the region of a word). Default: {ExperimentImages.ToyName} for sd-mini, "
                + $"{ExperimentImages.PhotographsName} for Stable Diffusion.",
        };
        images.CompletionSources.Add(ExperimentImages.ToyName, ExperimentImages.PhotographsName);
        Option<string> size = SharedOptions.Size("Size of the images in pixels:");
        Option<int?> count = new("--count")
        {
            Description = "Number of images (default: 2 with --quick, else 4; with --protocol paper all of the folder, or 24 scenes).",
        };
        count.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int n) && n < 1)
                result.AddError($"--count is {n}; it must be at least 1.");
        });
        Option<string> folder = new("--out")
        {
            Description = "Folder for the report. Results found there are not computed again.",
            DefaultValueFactory = _ => Path.Combine("runs", "reproduce"),
        };
        Option<bool> quick = new("--quick") { Description = "Every figure, small: 2 images, T = 20, N = 1, 3, 10." };
        Option<string> protocol = SharedOptions.Choice(
            "--protocol",
            "default: T = 50, N = 1, 2, 3, 5, 10; paper: the paper's grid of N up to 20.",
            "default",
            "default",
            "paper"
        );
        Option<double?> guidance = SharedOptions.OptionalNumber(
            "--edit-guidance",
            "Guidance scale of edits (default 7.5); any other value needs a separate inversion.",
            0,
            100
        );
        Option<long> seed = new("--seed") { Description = "Seed for all noise.", DefaultValueFactory = _ => 0 };
        Option<int> batch = SharedOptions.Int("--batch", "Maximum number of images per network call.", 8, 1, 1000);
        Command command = new("reproduce", "Reproduce the paper's figures.") { figures, images, size, count, folder, quick, protocol, guidance, seed, batch };
        model.AddTo(command);
        Option<bool> report = new("--report") { Description = "Compute nothing: make the figures of what shards have put into --out." };
        command.Options.Add(report);
        StudyRunOptions run = new(model.Device);
        run.AddTo(command);
        command.Validators.Add(result =>
        {
            foreach (Option option in result.GetValue(report) ? run.OfRun.Where(o => result.GetResult(o) is { Implicit: false }) : [])
                result.AddError($"{option.Name} and --report exclude each other: the report is about all that is in --out.");
            if (result.GetValue(quick) && result.GetResult(protocol) is { Implicit: false })
                result.AddError("--quick and --protocol exclude each other.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                bool paper = parsed.GetValue(protocol) == "paper",
                    small = parsed.GetValue(quick);
                ModelRequest request = model.Read(parsed);
                ExperimentSettings settings = (
                    small ? ExperimentSettings.Quick
                    : paper ? ExperimentSettings.Paper
                    : ExperimentSettings.Default
                ) with
                {
                    EditGuidanceScale = parsed.GetValue(guidance) ?? 7.5,
                    Seed = parsed.GetValue(seed),
                    BatchSize = parsed.GetValue(batch),
                };
                string[] ofJob = [folder.Name, .. run.OfRun.Concat(run.OfEmit).Select(o => o.Name)];
                string[] words = Words(parsed, [.. ofJob, model.Device.Name, "--threads"]);
                string repeat = string.Concat(
                    Words(parsed, [figures.Name, .. ofJob]).Skip(1).Where(w => w != report.Name).Select(w => w.Contains(' ') ? $" \"{w}\"" : $" {w}")
                );
                return Run(
                    context,
                    PaperFigure.Parse(parsed.GetValue(figures)),
                    request,
                    parsed.GetValue(images),
                    SharedOptions.ReadSize(parsed, size),
                    set =>
                        parsed.GetValue(count)
                        ?? (
                            paper
                                ? set == ExperimentImages.ToyName
                                    ? 24
                                    : null
                                : small
                                    ? 2
                                    : 4
                        ),
                    settings,
                    new Job
                    {
                        Folder = parsed.GetValue(folder)!,
                        Repeat = repeat,
                        Shard = run.Shard(parsed),
                        FoundOnly = parsed.GetValue(report),
                        Script = run.Emits(parsed)
                            ? (
                                run.ScriptPath(parsed, parsed.GetValue(folder)!),
                                run.Script(context, parsed, "reproduce", parsed.GetValue(folder)!, parsed.GetValue(folder)!) with
                                {
                                    Run = words,
                                    Merge = string.Join(' ', words.Append(report.Name).Select(SlurmScript.Quoted)),
                                    Folder = Environment.CurrentDirectory,
                                }
                            )
                            : null,
                    }
                );
            }
        );
        return command.WithExamples(
            "nulltext reproduce --quick",
            "nulltext reproduce --figures 4,9,ablations --images photographs/ --count 8 --out runs/mine",
            "nulltext reproduce --protocol paper --model OWNER/NAME --device cuda",
            "nulltext reproduce --protocol paper --out runs/paper --shard 0/4"
        );
    }

    /// <summary>The words of the command line without some options and their values.</summary>
    private static string[] Words(ParseResult parsed, IReadOnlyList<string> without)
    {
        List<string> words = [];
        for (int i = 0; i < parsed.Tokens.Count; i++)
        {
            string word = parsed.Tokens[i].Value;
            if (without.Contains(word))
                // All of them take one value.
                i++;
            else
                words.Add(word);
        }
        return [.. words];
    }

    private static int ToySide(SizeRule sizes, ImageSizing sizing)
    {
        try
        {
            return ExperimentImages.ToySide(sizes, sizing);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--size {sizing}: {ErrorText.Of(e)}");
        }
    }

    private static int Run(
        RunContext context,
        IReadOnlyList<PaperFigure> figures,
        ModelRequest request,
        string? named,
        ImageSizing sizing,
        Func<string, int?> countOf,
        ExperimentSettings settings,
        Job job
    )
    {
        string folder = job.Folder;
        Stopwatch clock = Stopwatch.StartNew();
        ModelSource found = request.Find(context);
        string source = named ?? ExperimentImages.SetFor(found.Sizes);
        int? count = countOf(source);
        IReadOnlyList<ExperimentImage> images = source switch
        {
            ExperimentImages.ToyName => ExperimentImages.Toy(count ?? 4, ToySide(found.Sizes, sizing)),
            ExperimentImages.PhotographsName => ExperimentImages.Photographs(found.Sizes, count, sizing),
            _ => ExperimentImages.FromFolder(source, found.Sizes, count, sizing),
        };
        // Checked before anything is computed, so that a missing line does not surface hours later.
        if (figures.FirstOrDefault(f => f.NeedsEdits) is { } needy && images.FirstOrDefault(i => i.Edits.Count == 0) is { } bare)
            throw new CommandException(
                $"The image '{bare.Name}' has no edit prompt, which figure {needy.Aliases[0]} needs: add prompts of edited versions below its caption, "
                    + "one per line, or choose other --figures "
                    + $"({string.Join(", ", PaperFigure.All.Where(f => !f.NeedsEdits).SelectMany(f => f.Aliases.Count > 0 ? f.Aliases : [f.Id]))})."
            );
        if (job.Script is { } script)
        {
            Directory.CreateDirectory(script.Job.Logs);
            WholeFile.Write(script.Path, Encoding.UTF8.GetBytes(script.Job.ToText()));
            context.Out.WriteLine($"{images.Count} images in {script.Job.Shards} shards; 'bash {script.Path}' submits the array and, after it, the report");
            return CommandRunner.Done;
        }
        bool isPart = job.Shard.Count > 1;
        // An image's results are one process's: they share inversions.
        IReadOnlyList<ExperimentImage> own = isPart ? [.. images.Where(i => job.Shard.Takes(i.Hash))] : images;
        if (own.Count == 0)
        {
            context.Out.WriteLine($"shard {job.Shard}: none of {images.Count} images falls to it");
            return CommandRunner.Done;
        }
        // Two reports in one folder would mix; successive runs share the results in it, and so do shards, each of which writes files of its own images.
        string results = Path.Combine(folder, "results");
        using OutputLock alone = OutputLock.OnFolder(
            isPart ? Path.Combine(folder, "shards", string.Create(CultureInfo.InvariantCulture, $"{job.Shard.Index}-of-{job.Shard.Count}")) : folder
        );
        if (!isPart)
            foreach (string part in PaperFigure.All.Select(f => Path.Combine(folder, f.Id)).Prepend(results))
                alone.Sweep(part);
        int rows = Math.Min(own.Count, settings.BatchSize);
        // Edits run the source, its targets and both halves of guidance together.
        int edits = 1 + Math.Max(settings.Factors.Count, images.Max(i => i.Edits.Count));
        using StableDiffusion model = request.Load(
            context,
            found,
            new MemoryDemand
            {
                ImageSize = images.Select(i => PixelSize.Of(i.Image)).MaxBy(s => s.Area),
                Rows = 2 * rows * edits,
                GradientRows = rows,
                Images = rows * edits,
                ExplicitAttention = true,
            }
        );
        string[] prompts = [.. images.SelectMany(i => i.Edits.Select(e => e.Prompt).Prepend(i.Caption))];
        // Nobody typed the photographs' captions: they may be used even with a model that knows only a few words.
        if (source == ExperimentImages.PhotographsName)
            foreach (string prompt in prompts)
                model.Tokenizer.Tokenize(prompt).EnsureFits();
        else
            SharedOptions.RequirePrompts(context, model, prompts);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(context.Cancel);
        using IDisposable? announced = AnnouncedStop.On(stop);
        using ExperimentLab lab = new(model, own, settings, new ResultCache(results))
        {
            AllImages = images,
            FoundOnly = job.FoundOnly,
            Cancellation = stop.Token,
            // One thread per image beats several threads inside one small operation; a GPU takes all images at once.
            Workers = model.Device.type == TorchSharp.DeviceType.CPU ? Math.Min(context.AllThreads, own.Count) : 1,
        };
        context.Kept = $"finished results are kept in {results}: the same command resumes from there.";
        ReproductionPlan plan = new()
        {
            Figures = figures,
            Folder = folder,
            CommandOptions = job.Repeat,
            ImageSource = source switch
            {
                ExperimentImages.ToyName => "held-out toy scenes",
                ExperimentImages.PhotographsName => "photographs of data/images/photos",
                _ => source,
            },
            Threads = Math.Max(lab.Workers, context.Threads),
        };
        Reproduction reproduction = new(model, lab, plan);
        List<string> lines = [];
        string? index;
        try
        {
            index = context.Track(progress => isPart ? reproduction.Compute(progress) : reproduction.Run(progress, lines.Add));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested && !context.Cancel.IsCancellationRequested)
        {
            context.Error.WriteLine($"cancelled; {context.Kept}");
            return CommandRunner.Cancelled;
        }
        catch (MissingResultsException e)
        {
            throw new CommandException(e.Message);
        }
        string counts = string.Create(
            CultureInfo.InvariantCulture,
            $"{lab.Cache.Written} results computed, {lab.Cache.Found} found"
                + $"{(lab.Cache.Damaged > 0 ? $"; {lab.Cache.Damaged} damaged or from an older version, and computed again" : "")}"
        );
        if (index is null)
        {
            context.Out.WriteLine($"shard {job.Shard}: {own.Count} of {images.Count} images in {Reproduction.Duration(clock.Elapsed)} ({counts})");
            return CommandRunner.Done;
        }
        foreach (string line in lines)
            context.Out.WriteLine(line);
        context.Out.WriteLine(
            $"{figures.Count} figure{(figures.Count == 1 ? "" : "s")} in {Reproduction.Duration(clock.Elapsed)} ({counts}): {Path.GetFullPath(index)}"
        );
        return CommandRunner.Done;
    }

    /// <summary>Where the run writes, and which part of it is computed.</summary>
    private sealed record Job
    {
        public required string Folder { get; init; }

        /// <summary>The options that repeat the run, for manifests.</summary>
        public required string Repeat { get; init; }

        public required StudyShard Shard { get; init; }

        public required bool FoundOnly { get; init; }

        /// <summary>A batch script to be written instead of computing.</summary>
        public required (string Path, SlurmScript Job)? Script { get; init; }
    }
}
