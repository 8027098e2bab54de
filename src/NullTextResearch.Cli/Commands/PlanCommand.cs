using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using NullTextResearch.Cli.Running;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Loading;
using NullTextResearch.Planning;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext plan`: memory and time of a null-text inversion in every setting, and the fastest that fits.</summary>
internal static partial class PlanCommand
{
    public static Command Create()
    {
        ModelOptions model = new();
        Option<string?> size = new("--size")
        {
            Description =
                $"Size of the image in pixels: 640x448 or 512, multiples of 8 up to {SizeRule.Most} (default: the square size that the model was trained at).",
        };
        size.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !PixelSize.TryParse(result.Tokens[0].Value, out _))
                result.AddError($"--size is '{result.Tokens[0].Value}'; it must be a size such as 640x448 or 512.");
        });
        Option<int> steps = SharedOptions.Int("--steps", "DDIM steps.", 50, 1, 1000);
        Option<int> inner = SharedOptions.Int("--inner", "Optimisation steps per DDIM step.", 10, 0, 100_000);
        Option<bool> edits = new("--edit") { Description = "Plan an edit too; with large attention maps it takes more memory than the inversion." };
        Option<string?> available = new("--available")
        {
            Description = "Memory that may be used, such as 8GB or 7500MB (default on a CPU: this machine's free memory).",
        };
        available.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && Bytes(result.Tokens[0].Value) is null)
                result.AddError($"--available is '{result.Tokens[0].Value}'; it must be an amount of memory such as 8GB or 7500MB.");
        });
        Command command = new(
            "plan",
            "Predict memory and time of a null-text inversion in every setting, and pick the fastest that fits. Nothing is loaded; the machine is "
                + "measured for a few seconds."
        )
        {
            size,
            steps,
            inner,
            edits,
            available,
        };
        model.AddTo(command);
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                ModelRequest request = model.Read(parsed);
                ModelSource source = request.Find(context);
                Device device = source.Options.Device ?? CPU;
                if (device.type == DeviceType.CUDA && parsed.GetValue(available) is null)
                    throw new CommandException(
                        "--device cuda: the GPU's free memory is not known here; give it, for example --available 8GB ('nvidia-smi' shows it)."
                    );
                ImageSizing sizing = PixelSize.TryParse(parsed.GetValue(size), out PixelSize given) ? ImageSizing.Of(given) : ImageSizing.Own;
                JobDemand demand = new()
                {
                    ImageSize = SharedOptions.SizeFor(sizing, source.ImageSize, source.Sizes),
                    Steps = parsed.GetValue(steps),
                    InnerSteps = parsed.GetValue(inner),
                    Edits = parsed.GetValue(edits),
                    Device = device,
                };
                context.Choose(source, demand.ImageSize);
                return Run(context, source, demand, Bytes(parsed.GetValue(available)) ?? MemoryPlan.Available(), request);
            }
        );
        return command.WithExamples("nulltext plan --model OWNER/NAME", "nulltext plan --model OWNER/NAME --device cuda --available 8GB --size 640x448 --edit");
    }

    /// <summary>Bytes of <c>8GB</c>, <c>7.5 GiB</c>, <c>900MB</c> or a plain number; null if it is none of these.</summary>
    internal static long? Bytes(string? text)
    {
        if (text is null || Amount().Match(text.Trim()) is not { Success: true } match)
            return null;
        double unit = match.Groups[2].Value.ToUpperInvariant() switch
        {
            "" or "B" => 1,
            "MB" or "M" => 1e6,
            "GB" or "G" => 1e9,
            "MIB" => 1 << 20,
            _ => 1 << 30,
        };
        double bytes = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * unit;
        return bytes is >= 1 and < 1e18 ? (long)bytes : null;
    }

    private static int Run(RunContext context, ModelSource source, JobDemand demand, long available, ModelRequest request)
    {
        CultureInfo c = CultureInfo.InvariantCulture;
        MachineLoad load = demand.Device.type == DeviceType.CPU ? MachineLoad.Measure(context.Threads) : MachineLoad.Quiet;
        JobPlan plan = JobPlan.For(source, demand);
        if (request.Precision is { } only)
            plan = new JobPlan([.. plan.Settings.Where(s => s.Precision == Precision.Parse(only))]);
        context.Out.WriteLine(
            string.Create(
                c,
                $"Null-text inversion{(demand.Edits ? " and an edit" : "")} with {source.Name}, {demand.ImageSize} pixels, {demand.Steps} steps of at "
                    + $"most {demand.InnerSteps} inner steps, {demand.Device}, {context.Threads} thread{(context.Threads == 1 ? "" : "s")}; "
                    + $"{Gigabytes(available)} may be used."
            )
        );
        if (load.IsBusy)
        {
            context.Out.WriteLine(
                string.Create(
                    c,
                    $"The machine is busy: other work leaves {100 * load.Share:0} % of the processor time that this would use. The longer times assume that "
                        + $"it stays busy; plan again when it is idle."
                )
            );
        }
        context.Out.WriteLine();
        context.Out.WriteLine("  precision   memory   time                largest stage               settings");
        JobSetting? chosen = plan.Fastest(available);
        List<JobSetting> rows = [.. plan.Worthwhile];
        if (chosen is not null && !rows.Contains(chosen))
            rows.Add(chosen);
        foreach (JobSetting setting in rows.OrderBy(s => s.Seconds).ThenBy(s => s.Plan.TotalBytes))
        {
            string mark =
                setting == chosen ? ">"
                : setting.Plan.TotalBytes > available ? "-"
                : setting.IsSound ? " "
                : "!";
            context.Out.WriteLine(
                $"{mark} {Precision.NameOf(setting.Precision), -8} {Gigabytes(setting.Plan.TotalBytes), 9}   {Range(setting.Time.Range(load)), -17}   "
                    + $"{setting.Plan.Largest.Name, -25}   {Flags(setting)}"
            );
        }
        context.Out.WriteLine();
        if (chosen is null)
        {
            JobSetting[] sound = [.. plan.Settings.Where(s => s.IsSound)];
            if (sound.Length == 0)
            {
                context.Out.WriteLine(
                    $"None is recommended: this machine has not passed the arithmetic self-test in {request.Precision} ('nulltext doctor' runs it). "
                        + "Leave --precision out, or give fp32."
                );
                return CommandRunner.Done;
            }
            JobSetting least = sound.MinBy(s => s.Plan.TotalBytes)!;
            throw new CommandException(
                $"No setting fits into {Gigabytes(available)}: the smallest needs {Gigabytes(least.Plan.TotalBytes)} ({Flags(least)}). Use a smaller --size or "
                    + "model, or another machine."
            );
        }
        if (rows.Exists(s => s.Plan.TotalBytes > available))
            context.Out.WriteLine("Lines with - do not fit.");
        if (rows.Exists(s => !s.IsSound))
            context.Out.WriteLine("Lines with ! use a precision in which this machine has not passed the arithmetic self-test; they are not recommended.");
        context.Out.WriteLine("Times: from all steps stopping early on an idle machine to none stopping early at the current load. The fastest that fits (>):");
        string name = source.Name.Contains(' ', StringComparison.Ordinal) ? $"\"{source.Name}\"" : source.Name;
        string model = request.IsEmbedded ? "" : $" --model {request.Name ?? name}";
        string sized = demand.ImageSize == source.ImageSize ? "" : $" --size {demand.ImageSize.Width}x{demand.ImageSize.Height}";
        string device = demand.Device.type == DeviceType.CPU ? "" : $" --device {request.Device}";
        context.Out.WriteLine($"  nulltext invert photo.png --prompt \"...\"{model}{sized}{device} {Flags(chosen)}".TrimEnd());
        return CommandRunner.Done;
    }

    private static string Flags(JobSetting setting)
    {
        List<string> flags = [$"--precision {Precision.NameOf(setting.Precision)}"];
        if (setting.Memory.Checkpointing)
            flags.Add("--checkpointing");
        if (setting.Memory.Sequential)
            flags.Add("--sequential");
        if (setting.Memory.VaeTile is { } tile)
            flags.Add($"--vae-tile {tile}");
        if (setting.Memory.Offload)
            flags.Add("--offload");
        return string.Join(' ', flags);
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB");

    private static string Range((double Least, double Most) seconds) => $"{Time(seconds.Least)} to {Time(seconds.Most)}";

    private static string Time(double seconds) =>
        seconds < 120 ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")
        : seconds < 7200 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h");

    [GeneratedRegex(@"^(\d+(?:\.\d+)?)\s*(B|MB|GB|M|G|MiB|GiB)?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Amount();
}
