using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Loading;
using NullTextResearch.Models;
using NullTextResearch.SelfTest;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive.Checkups;

/// <summary>Result of one check.</summary>
internal enum CheckupVerdict
{
    /// <summary>Works.</summary>
    Good,

    /// <summary>Missing, but only some features need it.</summary>
    Missing,

    /// <summary>Nothing works until it is fixed.</summary>
    Broken,
}

/// <summary>One line of the checkup.</summary>
/// <param name="Verdict">Result of the check.</param>
/// <param name="What">Name of the checked thing, a word or two.</param>
/// <param name="Found">What was found.</param>
/// <param name="Mend">How to fix it; null if nothing needs to be done.</param>
internal sealed record CheckupLine(CheckupVerdict Verdict, string What, string Found, string? Mend);

/// <summary>A model to check by loading it.</summary>
/// <param name="What">Its name in the list.</param>
/// <param name="Find">Finds the model.</param>
/// <param name="Load">Loads the model that was found.</param>
/// <param name="Mend">What to do if that fails.</param>
internal sealed record CheckupModel(string What, Func<ModelSource> Find, Func<ModelSource, StableDiffusion> Load, string Mend)
{
    /// <summary>The embedded model, opened as a notebook opens it.</summary>
    public static CheckupModel Embedded { get; } =
        new(MiniName, () => ModelSource.Find(StableDiffusion.MiniFolder()), source => StableDiffusion.Load(source), MiniMend);

    /// <summary>Name of the embedded model.</summary>
    public const string MiniName = "sd-mini";

    /// <summary>What to do if the embedded model is missing.</summary>
    public const string MiniMend =
        "clone the repository again (the model is part of it), build, and run this from the build folder; or 'nulltext train --out runs/mini --export "
        + "data/models/sd-mini'";
}

/// <summary>Checks everything the library depends on: one line each, with a fix for what is missing.</summary>
internal sealed class Checkup
{
    /// <summary>Requested number of threads; null if none was requested.</summary>
    public int? AskedThreads { get; init; }

    /// <summary>Sets the number of libtorch threads.</summary>
    public Action ApplyThreads { get; init; } = Native.PrepareThread;

    /// <summary>
    /// Models to load, the largest first, because memory that one leaves in the allocator would hide part of the next one's peak. Listed in reverse.
    /// </summary>
    public IReadOnlyList<CheckupModel> Models { get; init; } = [CheckupModel.Embedded];

    /// <summary>Further checks of the caller; listed last.</summary>
    public IReadOnlyList<CheckupLine> Besides { get; init; } = [];

    /// <summary>Runs the checks and writes the results.</summary>
    /// <returns>Whether all essentials are in place.</returns>
    /// <exception cref="OperationCanceledException">The checkup was cancelled.</exception>
    public bool Run(TextWriter to, CancellationToken cancel)
    {
        List<CheckupLine> lines = [Runtime(), .. Torch()];
        bool loaded = lines.All(l => l.Verdict != CheckupVerdict.Broken);
        lines.Add(Memory());
        CheckupLine[][] models = [.. Models.Select(Model)];
        lines.AddRange(models.Reverse().SelectMany(m => m));
        lines.Add(Pulled());
        // After the models: memory that it leaves in the allocator would hide part of their peak.
        ArithmeticTable arithmetic = loaded ? ArithmeticTable.Make(AskedThreads ?? Environment.ProcessorCount, cancel) : ArithmeticTable.Empty;
        if (loaded)
            lines.Add(Arithmetic(arithmetic));
        lines.Add(Chromium());
        lines.AddRange(Besides);
        int width = lines.Max(l => l.What.Length);
        foreach (CheckupLine line in lines)
        {
            string mark = line.Verdict switch
            {
                CheckupVerdict.Good => "ok     ",
                CheckupVerdict.Missing => "missing",
                _ => "BROKEN ",
            };
            to.WriteLine($"{mark}  {line.What.PadRight(width)}  {line.Found}");
            if (line.Mend is not null)
                to.WriteLine($"{new string(' ', 9 + width)}  -> {line.Mend}");
        }

        arithmetic.Write(to);
        int broken = lines.Count(l => l.Verdict == CheckupVerdict.Broken);
        to.WriteLine();
        to.WriteLine(broken == 0 ? "All essentials are in place." : $"{broken} essential {(broken == 1 ? "thing is" : "things are")} broken.");
        return broken == 0;
    }

    private static CheckupLine Runtime() =>
        Environment.Version.Major >= 10
            ? new(
                CheckupVerdict.Good,
                "runtime",
                $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}",
                null
            )
            : new(CheckupVerdict.Broken, "runtime", RuntimeInformation.FrameworkDescription, "install the .NET 10 SDK");

    private IEnumerable<CheckupLine> Torch()
    {
        NativeLoadReport native = Native.Report;
        string? problem = native.Mode == NativeLoadMode.Failed ? native.Detail : null;
        bool cuda = false;
        if (problem is null)
        {
            try
            {
                using Tensor pair = ones(2);
                using Tensor two = pair.sum();
                if (two.item<float>() != 2)
                    problem = "1 + 1 is not 2: the library is damaged";
                ApplyThreads();
                cuda = torch.cuda.is_available();
            }
            catch (Exception e)
                when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException or NotSupportedException or ExternalException)
            {
                problem = (e.InnerException ?? e).Message.Split('\n')[0];
            }
        }

        string version = torch.__version__;
        if (problem is not null)
        {
            yield return new(
                CheckupVerdict.Broken,
                "libtorch",
                problem,
                "run 'dotnet restore' and build again; on Linux x64 the package libtorch-cpu-linux-x64 must be in the NuGet cache. On Debian: apt-get "
                    + "install libgomp1 libstdc++6"
            );
            yield break;
        }

        yield return new(
            CheckupVerdict.Good,
            "libtorch",
            $"TorchSharp for libtorch {version}; {native.Mode switch
        {
            NativeLoadMode.AsShipped => "loaded as shipped",
            NativeLoadMode.RelaxedCopy => "loaded through a relaxed copy",
            _ => "loaded by TorchSharp",
        }}. {native.Detail}",
            null
        );
        string? driver = NvidiaDriver();
        yield return cuda ? new(CheckupVerdict.Good, "device", $"cpu, and {torch.cuda.device_count()} CUDA device(s): --device cuda", null)
        : driver is null ? new(CheckupVerdict.Good, "device", "cpu; no NVIDIA driver here, and none is needed", null)
        : new(
            CheckupVerdict.Missing,
            "device",
            $"cpu only, but there is an NVIDIA driver ({driver})",
            "for the GPU, build with: dotnet build -c Release -p:TorchBackend=cuda (package TorchSharp-cuda-linux, about 3 GB), then use --device cuda"
        );
        yield return new(
            CheckupVerdict.Good,
            "threads",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{(AskedThreads is { } asked ? $"{asked}, as requested," : "as many as suit the model, 1 for sd-mini,")} of "
                    + $"{Environment.ProcessorCount} processors (--threads, {ProcessorThreads.Variable})"
            ),
            null
        );
    }

    private static CheckupLine Arithmetic(ArithmeticTable table)
    {
        const string What = "arithmetic";
        if (table.Checks.Count == 0)
            return new(CheckupVerdict.Missing, What, $"not tested, because {ArithmeticSelfTest.Variable}=off", $"unset {ArithmeticSelfTest.Variable}");
        string where = $"{Processor.Name}, libtorch {torch.__version__}";
        ArithmeticCheck[] wrong = [.. table.Checks.Where(c => c.Verdict == ArithmeticVerdict.Wrong)];
        int around = table.Checks.Count(c => c.Verdict == ArithmeticVerdict.WorkedAround);
        string found =
            $"{where}: {table.Checks.Count - wrong.Length} of {table.Checks.Count} checks "
            + $"right{(around == 0 ? "" : $"; in {around} of them libtorch alone is wrong on this processor, but the library works around it")}";
        if (wrong.Length == 0)
            return new(CheckupVerdict.Good, What, found, null);
        string[] precisions = [.. wrong.Select(c => Precision.NameOf(c.Dtype)).Distinct()];
        bool essential = wrong.Any(c => c.Dtype == ScalarType.Float32);
        return new(
            essential ? CheckupVerdict.Broken : CheckupVerdict.Missing,
            What,
            found,
            essential
                ? "use another machine, or another number of threads if the table below has a column that is right"
                : $"do not use --precision {string.Join(" or ", precisions)} on this machine"
        );
    }

    private static CheckupLine Memory()
    {
        long bytes;
        try
        {
            bytes = MemoryPlan.Available();
        }
        catch (ArgumentException e)
        {
            return new(CheckupVerdict.Broken, "memory", e.Message, $"unset {MemoryPlan.LimitVariable} or set it to a number of bytes");
        }

        string found = string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GB available");
        return bytes < 1L << 30
            ? new(CheckupVerdict.Missing, "memory", found, "the embedded model needs 1 GB, Stable Diffusion 1.x about 10 GB in float32: close other programs")
            : new(CheckupVerdict.Good, "memory", found, null);
    }

    // Only lists names: loading each model would take minutes.
    private static CheckupLine Pulled()
    {
        ModelCache cache = ModelCache.FromEnvironment();
        try
        {
            CachedModel[] models = [.. cache.List().Where(m => m.IsPipeline)];
            return new(
                CheckupVerdict.Good,
                "pulled models",
                models.Length == 0
                    ? $"none in {cache.Root}; 'nulltext model pull <owner/name>' fetches one"
                    : $"{string.Join(", ", models.Select(m => m.Name.Id))} in {cache.Root}",
                null
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(CheckupVerdict.Missing, "pulled models", e.Message, "make the folder readable, or set HF_HUB_CACHE to another one");
        }
    }

    private static CheckupLine[] Model(CheckupModel asked)
    {
        string what = asked.What;
        try
        {
            ModelSource found = asked.Find();
            bool measured = ProcessMemory.ResetPeak();
            long before = ProcessMemory.Resident() ?? 0;
            Stopwatch clock = Stopwatch.StartNew();
            using StableDiffusion model = asked.Load(found);
            string memory =
                measured && ProcessMemory.Peak() is { } peak
                    ? string.Create(CultureInfo.InvariantCulture, $", {WeightBytes(model) / 1e6:0} MB of weights at a peak of {(peak - before) / 1e6:0} MB")
                    : "";
            CheckupLine loaded = new(
                CheckupVerdict.Good,
                what,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{model.Name}, {model.ImageSize} px, loaded in {clock.Elapsed.TotalSeconds:0.0} s{memory} from {found.Path}"
                ),
                null
            );
            return [loaded, .. Damage(model, what)];
        }
        catch (Exception e)
            when (e
                    is ModelFormatException
                        or ModelNotFoundException
                        or CheckpointMismatchException
                        or IOException
                        or UnauthorizedAccessException
                        or MemoryPlanException
                        or ArgumentException
            )
        {
            return [new(CheckupVerdict.Broken, what, e.Message, asked.Mend)];
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            return [new(CheckupVerdict.Broken, what, "cannot be loaded without libtorch", "fix libtorch first")];
        }
    }

    // A file with such values loads like any other, but everything computed with it is NaN.
    private static IEnumerable<CheckupLine> Damage(StableDiffusion model, string what)
    {
        const int Told = 8;
        (string Part, string Key, long NaN, long Infinite)[] bad =
        [
            .. model.Text.Weights.NotFinite().Select(b => ("text_encoder", b.Key, b.NaN, b.Infinite)),
            .. model.Vae.Weights.NotFinite().Select(b => ("vae", b.Key, b.NaN, b.Infinite)),
            .. model.UNet.Weights.NotFinite().Select(b => ("unet", b.Key, b.NaN, b.Infinite)),
        ];
        foreach ((string part, string key, long nan, long infinite) in bad.Take(Told))
            yield return new(CheckupVerdict.Broken, what, $"{part}: {key} has {nan} NaN and {infinite} infinite numbers", null);
        if (bad.Length > 0)
            yield return new(
                CheckupVerdict.Broken,
                what,
                $"{bad.Length} tensors contain NaN or infinite numbers, and so will every picture",
                "download the file again and compare its checksum; if it is the same, the training of this model diverged: use another one. With a "
                    + "16-bit --precision, try fp32 first"
            );
    }

    private static double WeightBytes(StableDiffusion model) =>
        new[] { model.Text.Weights, model.Vae.Weights, model.UNet.Weights }.Sum(set =>
            set.All.Where(w => w.HasValue).Sum(w => (double)w.Value.numel() * w.Value.element_size())
        );

    private static CheckupLine Chromium()
    {
        ChromiumSearch search = ChromiumRenderer.Find();
        return search.Renderer is null
            ? new(
                CheckupVerdict.Missing,
                "Chromium",
                "not found; charts are interactive HTML without PNG copies",
                "Debian: apt-get install chromium; or set " + ChromiumRenderer.EnvironmentVariable + " to the path of Chrome or Edge"
            )
            : new(CheckupVerdict.Good, "Chromium", search.Message, null);
    }

    private static string? NvidiaDriver()
    {
        const string Version = "/proc/driver/nvidia/version";
        return File.Exists(Version) ? Version : OnPath("nvidia-smi");
    }

    /// <summary>A program on the PATH, or null.</summary>
    public static string? OnPath(string program) =>
        (
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            from ending in OperatingSystem.IsWindows() ? (string[])[".exe", ".cmd"] : [""]
            let path = Path.Combine(folder, program + ending)
            where File.Exists(path)
            select path
        ).FirstOrDefault();
}
