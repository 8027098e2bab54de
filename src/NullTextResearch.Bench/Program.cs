using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NullTextResearch.Bench.FullSize;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Scenes;
using NullTextResearch.Tensors;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench;

/// <summary>
/// Null-text optimisation as published against the library's, on the same weights, images and kernels. Each measurement runs
/// in a separate process (for peak memory), and the variants take turns (machines drift), so read ratios, not seconds.
/// </summary>
internal static class Program
{
    private static readonly (string Name, string What)[] Variants =
    [
        ("published", "as published: weight gradients, conditional recomputed in the advance, explicit maps"),
        ("weights-frozen", "published, but weights frozen"),
        ("conditional-reused", "published, but conditional re-used in the advance"),
        ("maps-fused", "published, but fused attention"),
        ("library", "the library, one image at a time"),
        ("library-batched", "the library, all images in one batch"),
    ];

    private static int Main(string[] args)
    {
        Option<string?> model = new("--model") { Description = "Model folder; default: the embedded sd-mini." };
        Option<int> images = new("--images") { Description = "Held-out scenes to invert.", DefaultValueFactory = _ => 4 };
        Option<int> steps = new("--steps") { Description = "DDIM steps.", DefaultValueFactory = _ => 50 };
        Option<int> inner = new("--inner") { Description = "Inner steps per timestep.", DefaultValueFactory = _ => 10 };
        Option<int> rounds = new("--rounds") { Description = "Rounds in which the variants take turns.", DefaultValueFactory = _ => 3 };
        Option<int?> threads = new("--threads")
        {
            Description = "libtorch threads (default: $NULLTEXT_THREADS, else a number that suits the model's size, as in nulltext).",
        };
        Option<bool> early = new("--early-stop") { Description = "Stop inner loops early, as in the released code; off, every variant does the same work." };
        Option<FileInfo?> report = new("--out") { Description = "Also write the report to this Markdown file, replacing an earlier one of its kind." };
        Option<string?> one = new("--variant") { Description = "Measure one variant in this process and print JSON.", Hidden = true };
        Option<int> soak = new("--soak") { Description = "Instead: run this many inner steps; report memory growth and live tensors." };
        Option<bool> full = new("--full-size")
        {
            Description = "Instead: the U-Net of Stable Diffusion 1.5 with random weights against this machine's ceilings; needs 12 GB and a few minutes.",
        };
        Option<bool> mini = new("--mini")
        {
            Description = "Instead: sd-mini's U-Net with random weights against this machine's ceilings, in batches of 1, 2 and 4; takes some minutes.",
        };
        Option<bool> whole = new("--null-text")
        {
            Description =
                "With --full-size: instead, whole null-text inversions, the fast preset against the released options (T = 3 unless --steps says else).",
        };
        Option<int> size = new("--size") { Description = "Pixels per side, with --full-size.", DefaultValueFactory = _ => 512 };
        Option<string> device = new("--device") { Description = "cpu or cuda, with --full-size.", DefaultValueFactory = _ => "cpu" };
        Option<bool> shared = new("--shared-rows")
        {
            Description = "With --full-size: instead of the report, print the rows that Python/unet.py also measures, as JSON lines (compare-with-python.sh).",
        };
        Option<bool> plan = new("--plan")
        {
            Description = "Instead: compare 'nulltext plan' with whole inversions by sd-mini in separate processes; takes a few minutes.",
        };
        Option<bool> convolutions = new("--convolutions")
        {
            Description = "Instead: compare the library's convolution, which is correct on every processor, with libtorch's own; takes two minutes.",
        };
        Option<FileInfo> program = new("--nulltext")
        {
            Description = "The built nulltext.dll, for --plan.",
            DefaultValueFactory = _ => new FileInfo("src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll"),
        };
        RootCommand root = new("Benchmark of null-text optimisation.")
        {
            model,
            images,
            steps,
            inner,
            rounds,
            threads,
            early,
            report,
            one,
            soak,
            full,
            mini,
            whole,
            size,
            device,
            shared,
            plan,
            program,
            convolutions,
        };
        root.SetAction(parsed =>
        {
            Native.EnsureLoaded();
            int chosen =
                parsed.GetValue(threads)
                ?? (
                    parsed.GetValue(full)
                        ? ProcessorThreads.For(UNetConfig.StableDiffusion1, parsed.GetValue(size) / 8, parsed.GetValue(size) / 8)
                        : ProcessorThreads.For(ModelSource.Find(parsed.GetValue(model) ?? StableDiffusion.MiniFolder()))
                );
            set_num_threads(chosen);
            Workload work = new(
                parsed.GetValue(model),
                parsed.GetValue(images),
                parsed.GetValue(steps),
                parsed.GetValue(inner),
                parsed.GetValue(early),
                chosen
            );
            if (parsed.GetValue(full) || parsed.GetValue(mini))
            {
                Device on;
                try
                {
                    on = ComputeDevice.Parse(parsed.GetValue(device)!);
                }
                catch (ArgumentException e)
                {
                    Console.Error.WriteLine(e.Message);
                    return 1;
                }
                FullSizeWork fullSize = new(
                    parsed.GetValue(size),
                    parsed.GetValue(rounds),
                    parsed.GetResult(inner) is { Implicit: false } ? work.Inner : 3,
                    work.Threads,
                    on,
                    $"dotnet run --project src/NullTextResearch.Bench -c Release -- {string.Join(' ', args)}"
                );
                if (parsed.GetValue(mini))
                {
                    foreach (int batch in (int[])[1, 2, 4])
                        Print(new FullSizeBenchmark(fullSize.OfMini(batch)).Run());
                    return 0;
                }
                if (parsed.GetValue(whole))
                    return Print(new NullTextAtFullSize(fullSize, parsed.GetResult(steps) is { Implicit: false } ? work.Steps : 3).Run());
                if (parsed.GetValue(shared))
                {
                    new SharedRows(fullSize).Run();
                    return 0;
                }
                return Print(new FullSizeBenchmark(fullSize).Run());
            }
            if (parsed.GetValue(plan))
            {
                FileInfo built = parsed.GetValue(program)!;
                if (built.Exists)
                    return Print(new PlanBenchmark(built.FullName).Run());
                Console.Error.WriteLine(
                    $"--plan runs whole inversions with the command line, and there is none at {built.FullName}. Build it: dotnet build "
                        + "src/NullTextResearch.Cli -c Release; or name it with --nulltext."
                );
                return 1;
            }
            if (parsed.GetValue(convolutions))
                return Print(new ConvolutionBenchmark(parsed.GetResult(rounds) is { Implicit: false } ? parsed.GetValue(rounds) : 15, chosen).Run());
            if (parsed.GetValue(soak) is > 0 and int innerSteps)
                return Soak(work, innerSteps);
            if (parsed.GetValue(one) is { } variant)
            {
                Console.WriteLine(JsonSerializer.Serialize(Measure(work, variant)));
                return 0;
            }
            return Print(Report(work, parsed.GetValue(rounds)));

            int Print(string text)
            {
                Console.WriteLine(text);
                if (parsed.GetValue(report) is { } file)
                    ReportFile.Put(file.FullName, text);
                return 0;
            }
        });
        return root.Parse(args).Invoke();
    }

    internal sealed record Workload(string? Model, int Images, int Steps, int Inner, bool EarlyStop, int Threads);

    internal sealed record Sample(double SecondsPerImage, double ForwardsPerImage, double PeakMegabytes, double[] Embeddings, double[] Latents);

    private static Sample Measure(Workload work, string variant)
    {
        using StableDiffusion model = work.Model is null ? StableDiffusion.LoadMini() : StableDiffusion.Load(work.Model);
        using DisposeScope scope = NewDisposeScope();
        (Tensor latents, Tensor conditional, Tensor empty) = Problem(model, work.Images);
        TimestepGrid grid = model.Grid(work.Steps);
        InversionProblem problem = new()
        {
            Predictor = model.Predictor(),
            Grid = grid,
            Latents = latents,
            Conditional = conditional,
            Unconditional = empty,
        };
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem);
        NullTextOptions options = new() { InnerSteps = work.Inner, StopEarly = work.EarlyStop };
        // One warm-up step keeps kernel selection out of the figures.
        Run(1);
        Stopwatch clock = Stopwatch.StartNew();
        (List<double> embeddings, List<double> ends, double forwards) = Run(work.Images);
        return new Sample(clock.Elapsed.TotalSeconds / work.Images, forwards / work.Images, PeakMegabytes(), [.. embeddings], [.. ends]);

        (List<double> Embeddings, List<double> Ends, double Forwards) Run(int count)
        {
            List<double> embeddings = [],
                ends = [];
            double forwards = 0;
            if (variant == "library-batched")
            {
                InversionProblem several = problem with { Latents = latents.narrow(0, 0, count), Conditional = conditional.narrow(0, 0, count) };
                using PivotTrajectory part = new(Enumerable.Range(0, grid.Steps + 1).Select(k => pivot[k].narrow(0, 0, count)));
                using InversionResult result = new NullTextInversion(options).Invert(several, part);
                for (int i = 0; i < count; i++)
                    Collect(result, i, several);
                forwards = result.EvaluationsPerImage * count;
                return (embeddings, ends, forwards);
            }
            for (int i = 0; i < count; i++)
            {
                using PivotTrajectory alone = pivot.Image(i);
                if (variant == "library")
                {
                    InversionProblem single = problem with { Latents = latents.narrow(0, i, 1), Conditional = conditional.narrow(0, i, 1) };
                    using InversionResult result = new NullTextInversion(options).Invert(single, alone);
                    Collect(result, 0, single);
                    forwards += result.EvaluationsPerImage;
                    continue;
                }
                Waste waste = variant switch
                {
                    "published" => Waste.All,
                    "weights-frozen" => Waste.All with { WeightGradients = false },
                    "conditional-reused" => Waste.All with { RecomputeConditional = false },
                    "maps-fused" => Waste.All with { ExplicitMaps = false },
                    _ => throw new ArgumentException($"Unknown variant '{variant}'; known: {string.Join(", ", Variants.Select(v => v.Name))}."),
                };
                PublishedNullText.Outcome outcome = PublishedNullText.Run(
                    model,
                    alone,
                    conditional.narrow(0, i, 1),
                    empty,
                    grid,
                    work.Inner,
                    work.EarlyStop,
                    waste
                );
                embeddings.AddRange(outcome.Embeddings);
                ends.AddRange(outcome.Latents);
                forwards += outcome.Forwards;
            }
            return (embeddings, ends, forwards);

            void Collect(InversionResult result, int row, InversionProblem of)
            {
                using StepEmbeddings mine = result.Unconditional.Image(row);
                embeddings.AddRange(PublishedNullText.Flat(mine.Values));
                ends.AddRange(PublishedNullText.Flat(result.Reconstruction!.narrow(0, row, 1)));
            }
        }
    }

    private static (Tensor Latents, Tensor Conditional, Tensor Empty) Problem(StableDiffusion model, int images)
    {
        using SceneRenderer renderer = new();
        SceneDescription[] scenes = [.. Enumerable.Range(0, images).Select(i => ToyScenes.Sample(i, SceneSplit.HeldOut))];
        int size = model.ImageSize;
        RgbImage[] pictures = [.. scenes.Select(s => RgbImage.FromRgb(renderer.Render(s, size), size, size))];
        return (model.Encode(pictures), model.Embed([.. scenes.Select(s => s.Caption)]).Tokens, model.Embed("").Tokens);
    }

    private static string Report(Workload work, int rounds)
    {
        Dictionary<string, List<Sample>> samples = Variants.ToDictionary(v => v.Name, _ => new List<Sample>());
        for (int round = 0; round < rounds; round++)
        {
            foreach ((string name, _) in Variants)
            {
                Console.Error.WriteLine($"round {round + 1} of {rounds}: {name}");
                samples[name].Add(Child(work, name));
            }
        }
        CultureInfo c = CultureInfo.InvariantCulture;
        StringBuilder text = new();
        text.AppendLine(c, $"# Null-text optimisation, {DateTimeOffset.UtcNow:yyyy-MM-dd}");
        text.AppendLine();
        text.AppendLine(
            c,
            $"{work.Images} held-out toy scenes, {work.Steps} steps, {work.Inner} inner steps{(work.EarlyStop ? " at most" : "")}, guidance 7.5, float32, "
                + $"CPU ({Machine.Processor()}), {work.Threads} thread(s), .NET {Environment.Version}, TorchSharp "
                + $"{typeof(torch).Assembly.GetName().Version}; median of {rounds} rounds in which the variants took turns. Time is that of the "
                + $"optimisation, without the DDIM inversion, which all share. Trust the ratios: published time / this time, round by round."
        );
        text.AppendLine();
        text.AppendLine(
            "| variant | s per image | ratio (min - max) | network evaluations per image | peak memory, MB | distance to published: embeddings / end "
                + "latents (relative L2) |"
        );
        text.AppendLine("|---|---|---|---|---|---|");
        List<Sample> reference = samples["published"];
        foreach ((string name, string what) in Variants)
        {
            List<Sample> mine = samples[name];
            double[] ratios = [.. mine.Zip(reference, (m, r) => r.SecondsPerImage / m.SecondsPerImage).Order()];
            text.AppendLine(
                c,
                $"| {what} | {Median(mine.Select(s => s.SecondsPerImage)):0.00} | {Median(ratios):0.00} ({ratios[0]:0.00} - {ratios[^1]:0.00}) | "
                    + $"{mine[0].ForwardsPerImage:0} | {Median(mine.Select(s => s.PeakMegabytes)):0} | "
                    + $"{PublishedNullText.RelativeDistance(mine[0].Embeddings, reference[0].Embeddings):0.0e+0} / "
                    + $"{PublishedNullText.RelativeDistance(mine[0].Latents, reference[0].Latents):0.0e+0} |"
            );
        }
        text.AppendLine();
        text.AppendLine(
            "The optimisation is chaotic in float32 (Adam divides by the gradient's size), so equal algorithms differ by small amounts in embeddings; in "
                + "float64 the library equals the reference to 1e-9 (`nulltext verify`)."
        );
        return text.ToString();
    }

    private static Sample Child(Workload work, string variant)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(Program).Assembly.Location);
        foreach (
            string argument in (string[])
                ["--variant", variant, "--images", $"{work.Images}", "--steps", $"{work.Steps}", "--inner", $"{work.Inner}", "--threads", $"{work.Threads}"]
        )
            start.ArgumentList.Add(argument);
        if (work.EarlyStop)
            start.ArgumentList.Add("--early-stop");
        if (work.Model is not null)
        {
            start.ArgumentList.Add("--model");
            start.ArgumentList.Add(work.Model);
        }
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<Sample>(output)!
            : throw new InvalidOperationException($"Variant {variant} ended with exit code {process.ExitCode}.");
    }

    private static int Soak(Workload work, int innerSteps)
    {
        using StableDiffusion model = work.Model is null ? StableDiffusion.LoadMini() : StableDiffusion.Load(work.Model);
        using DisposeScope scope = NewDisposeScope();
        (Tensor latents, Tensor conditional, Tensor empty) = Problem(model, 1);
        TimestepGrid grid = model.Grid(10);
        InversionProblem problem = new()
        {
            Predictor = model.Predictor(),
            Grid = grid,
            Latents = latents,
            Conditional = conditional,
            Unconditional = empty,
        };
        NullTextOptions options = new() { InnerSteps = 10, StopEarly = false };
        new NullTextInversion(options).Invert(problem).Dispose();
        long tensors = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        double first = ResidentMegabytes();
        int done = 0;
        List<(int Steps, double Megabytes)> seen = [(0, first)];
        while (done < innerSteps)
        {
            new NullTextInversion(options).Invert(problem).Dispose();
            done += grid.Steps * options.InnerSteps;
            seen.Add((done, ResidentMegabytes()));
            if (done % 500 == 0)
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{done, 7} steps: {seen[^1].Megabytes:0.0} MB resident, of which {GC.GetGCMemoryInfo().HeapSizeBytes / 1048576.0:0.0} MB managed"
                    )
                );
        }
        // The runtime's young generation and compiled code fill up in the first thousand or so; a leak would show in the second half too.
        (int Steps, double Megabytes) middle = seen[seen.Count / 2];
        double late = (seen[^1].Megabytes - middle.Megabytes) * 1000 / Math.Max(1, done - middle.Steps);
        double grown = (seen[^1].Megabytes - first) * 1000 / done;
        long left = DisposeScopeManager.Statistics.ThreadTotalLiveCount - tensors;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{done} inner steps after the first 100: resident memory {grown:+0.00;-0.00} MB per 1,000 steps (limit 5; {late:+0.00;-0.00} in the "
                    + $"second half), live tensors {left:+0;-0;0} (limit 0)"
            )
        );
        return grown < 5 && left == 0 ? 0 : 1;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static double PeakMegabytes() => (ProcessMemory.Peak() ?? Process.GetCurrentProcess().PeakWorkingSet64) / (double)(1 << 20);

    private static double ResidentMegabytes() => (ProcessMemory.Resident() ?? Environment.WorkingSet) / (double)(1 << 20);
}
