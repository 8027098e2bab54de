using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Loading;
using NullTextResearch.Planning;
using static TorchSharp.torch;

namespace NullTextResearch.Bench;

/// <summary>
/// The plan of <c>nulltext plan</c> against whole jobs: <c>nulltext invert</c> in a separate process for each setting, timed from start to end.
/// </summary>
internal sealed partial class PlanBenchmark(string program)
{
    private static readonly Setting[] Settings =
    [
        new("64", 20, 10, ScalarType.Float32, new MemoryOptions()),
        new("64", 50, 10, ScalarType.Float32, new MemoryOptions()),
        new("64", 20, 10, ScalarType.Float32, new MemoryOptions { Checkpointing = true }),
        new("128", 8, 5, ScalarType.Float32, new MemoryOptions()),
        new("128", 8, 5, ScalarType.Float32, new MemoryOptions { Sequential = true, Offload = true }),
        new("128x96", 10, 5, ScalarType.Float32, new MemoryOptions()),
        new("256", 3, 3, ScalarType.Float32, new MemoryOptions()),
        new("256", 3, 3, ScalarType.Float32, new MemoryOptions { Checkpointing = true, VaeTile = 32 }),
    ];

    /// <summary>Runs every setting and returns the report.</summary>
    public string Run()
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        ModelSource source = ModelSource.Find(StableDiffusion.MiniFolder());
        StringBuilder text = new();
        MachineLoad before = MachineLoad.Measure(1);
        text.AppendLine(c, $"# Planned and measured, {DateTimeOffset.UtcNow:yyyy-MM-dd}");
        text.AppendLine();
        text.AppendLine(
            c,
            $"`nulltext invert` of an example scene with sd-mini on {Machine.Processor()}, each setting in a separate process, timed from start to "
                + $"end; the plan was made just before, as `nulltext plan` does. At the start of this benchmark other work left {100 * before.Share:0} "
                + $"% of one thread's time. *For the work done* is the plan's time for the inner steps that the job took, mostly fewer than allowed."
        );
        text.AppendLine();
        text.AppendLine(
            "| setting | threads | planned time | planned for the work done, s | measured, s | measured / planned | within the range | planned memory, MB "
                + "| measured peak, MB | measured / planned |"
        );
        text.AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (Setting setting in Settings)
        {
            Console.Error.WriteLine($"plan: {setting}");
            PixelSize size = PixelSize.TryParse(setting.Size, out PixelSize given)
                ? given
                : throw new InvalidOperationException($"'{setting.Size}' is not a size.");
            int threads = ProcessorThreads.For(source, size);
            set_num_threads(threads);
            MachineLoad load = MachineLoad.Measure(threads);
            JobPlan plan = JobPlan.For(
                source,
                new JobDemand
                {
                    ImageSize = size,
                    Steps = setting.Steps,
                    InnerSteps = setting.Inner,
                }
            );
            JobSetting planned = plan.Settings.Single(s => s.Precision == setting.Precision && s.Memory == setting.Memory);
            Job job = Do(setting);
            (double least, double most) = planned.Time.Range(load);
            double expected = planned.Time.After(job.InnerSteps);
            text.AppendLine(
                c,
                $"| {setting} | {threads} | {least:0.0} to {most:0.0} s | {expected:0.0} | {job.Seconds:0.0} | {job.Seconds / expected:0.00} | "
                    + $"{(job.Seconds >= least && job.Seconds <= most ? "yes" : "**no**")} | {job.PlannedMegabytes:0} | {job.PeakMegabytes:0} | "
                    + $"{job.PeakMegabytes / job.PlannedMegabytes:0.00} |"
            );
        }
        return text.ToString();
    }

    private Job Do(Setting setting)
    {
        string folder = Directory.CreateTempSubdirectory("nulltext-plan-").FullName;
        try
        {
            ProcessStartInfo start = new("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string word in (string[])[program, "invert", "--out", Path.Combine(folder, "run"), .. setting.Arguments])
                start.ArgumentList.Add(word);
            long begun = Stopwatch.GetTimestamp();
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            if (process.ExitCode != 0)
                throw new InvalidOperationException(
                    $"nulltext invert {string.Join(' ', setting.Arguments)} ended with exit code {process.ExitCode}: {error.Result}"
                );
            using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "run", "manifest.json")));
            Match memory = Memory().Match(output);
            return new Job(seconds, manifest.RootElement.GetProperty("backwards").GetDouble(), Number(memory.Groups[1]), Number(memory.Groups[2]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static double Number(Group group) =>
            group.Success
                ? double.Parse(group.Value, CultureInfo.InvariantCulture)
                : throw new InvalidOperationException("nulltext invert did not report its memory.");
    }

    /// <summary>The arguments of <c>invert</c>.</summary>
    private sealed record Setting(string Size, int Steps, int Inner, ScalarType Precision, MemoryOptions Memory)
    {
        public IReadOnlyList<string> Arguments =>
            [
                "--size",
                Size,
                "--steps",
                Text(Steps),
                "--inner",
                Text(Inner),
                "--precision",
                Tensors.Precision.NameOf(Precision),
                .. Memory.Checkpointing ? (string[])["--checkpointing"] : [],
                .. Memory.Sequential ? (string[])["--sequential"] : [],
                .. Memory.VaeTile is { } tile ? (string[])["--vae-tile", Text(tile)] : [],
                .. Memory.Offload ? (string[])["--offload"] : [],
            ];

        public override string ToString() => string.Join(' ', Arguments);

        private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The cost of a job.</summary>
    private sealed record Job(double Seconds, double InnerSteps, double PeakMegabytes, double PlannedMegabytes);

    [GeneratedRegex(@"memory +(\d+) MB at most, (\d+) MB planned")]
    private static partial Regex Memory();
}
