using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using NullTextResearch.Kernel.Installing;
using NullTextResearch.Cli.Running;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Loading;
using NullTextResearch.Models;
using NullTextResearch.SelfTest;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext doctor`: one line per thing the program lives on, and how to mend what is missing.</summary>
internal static class DoctorCommand
{
    private enum Verdict
    {
        Good,
        Missing,
        Broken,
    }

    public static Command Create()
    {
        ModelOptions model = new("A model to look at too: a folder in diffusers format, a single-file .safetensors checkpoint, or owner/name of a pulled model.");
        Command command = new("doctor", "Look whether everything is in place, and say how to mend what is not.");
        model.AddTo(command);
        CommandRunner.Handle(command, (parsed, context) => Run(context, model.Read(parsed)));
        return command.WithExamples("nulltext doctor", "nulltext doctor --model checkpoints/any.safetensors");
    }

    private static int Run(RunContext context, ModelRequest extraModel)
    {
        List<Line> lines = [Runtime(), .. Torch(context)];
        bool loaded = lines.All(l => l.Verdict != Verdict.Broken);
        lines.Add(Memory());
        lines.AddRange(Models(context, extraModel));
        // After the models: what it leaves in the allocator would hide some of their peak.
        ArithmeticTable arithmetic = loaded ? ArithmeticTable.Make(context) : ArithmeticTable.Empty;
        if (loaded) lines.Add(Arithmetic(arithmetic));
        lines.Add(Chromium());
        lines.Add(Jupyter());
        int width = lines.Max(l => l.What.Length);
        foreach (Line line in lines)
        {
            string mark = line.Verdict switch { Verdict.Good => "ok     ", Verdict.Missing => "missing", _ => "BROKEN " };
            context.Out.WriteLine($"{mark}  {line.What.PadRight(width)}  {line.Found}");
            if (line.Mend is not null) context.Out.WriteLine($"{new string(' ', 9 + width)}  -> {line.Mend}");
        }

        arithmetic.Write(context.Out);
        int broken = lines.Count(l => l.Verdict == Verdict.Broken);
        context.Out.WriteLine();
        context.Out.WriteLine(broken == 0 ? "All essentials are in place." : $"{broken} essential {(broken == 1 ? "thing is" : "things are")} broken.");
        return broken == 0 ? CommandRunner.Done : CommandRunner.Failed;
    }

    private static Line Runtime() => Environment.Version.Major >= 10
        ? new(Verdict.Good, "runtime", $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}", null)
        : new(Verdict.Broken, "runtime", RuntimeInformation.FrameworkDescription, "install the .NET 10 SDK");

    private static IEnumerable<Line> Torch(RunContext context)
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
                if (two.item<float>() != 2) problem = "1 + 1 is not 2: the library is damaged";
                context.ApplyThreads();
                cuda = torch.cuda.is_available();
            }
            catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException or NotSupportedException or ExternalException)
            {
                problem = (e.InnerException ?? e).Message.Split('\n')[0];
            }
        }

        string version = torch.__version__;
        if (problem is not null)
        {
            yield return new(Verdict.Broken, "libtorch", problem, "run 'dotnet restore' and build again; on Linux x64 the package libtorch-cpu-linux-x64 must be in the NuGet cache. On Debian: apt-get install libgomp1 libstdc++6");
            yield break;
        }

        yield return new(Verdict.Good, "libtorch", $"TorchSharp for libtorch {version}; {native.Mode switch
        {
            NativeLoadMode.AsShipped => "loaded as shipped",
            NativeLoadMode.RelaxedCopy => "loaded through a relaxed copy",
            _ => "loaded by TorchSharp",
        }}. {native.Detail}", null);
        string? driver = NvidiaDriver();
        yield return cuda
            ? new(Verdict.Good, "device", $"cpu, and {torch.cuda.device_count()} CUDA device(s): --device cuda", null)
            : driver is null
                ? new(Verdict.Good, "device", "cpu; no NVIDIA driver here, and none is needed", null)
                : new(Verdict.Missing, "device", $"cpu only, but there is an NVIDIA driver ({driver})", "for the GPU, build with: dotnet build -c Release -p:TorchBackend=cuda (package TorchSharp-cuda-linux, about 3 GB), then use --device cuda");
        yield return new(Verdict.Good, "threads", string.Create(CultureInfo.InvariantCulture, $"{(context.Asked is { } asked ? $"{asked}, as asked for," : "as many as a model is worth, 1 for sd-mini,")} of {Environment.ProcessorCount} processors (--threads, {ProcessorThreads.Variable})"), null);
    }

    private static Line Arithmetic(ArithmeticTable table)
    {
        const string What = "arithmetic";
        if (table.Checks.Count == 0) return new(Verdict.Missing, What, $"not tested, as {ArithmeticSelfTest.Variable}=off asks", $"unset {ArithmeticSelfTest.Variable}");
        string where = $"{Processor.Name}, libtorch {torch.__version__}";
        ArithmeticCheck[] wrong = [.. table.Checks.Where(c => c.Verdict == ArithmeticVerdict.Wrong)];
        int around = table.Checks.Count(c => c.Verdict == ArithmeticVerdict.WorkedAround);
        string found = $"{where}: {table.Checks.Count - wrong.Length} of {table.Checks.Count} checks right{(around == 0 ? "" : $"; in {around} of them libtorch alone is wrong on this processor, and the library works around it")}";
        if (wrong.Length == 0) return new(Verdict.Good, What, found, null);
        string[] precisions = [.. wrong.Select(c => Precision.NameOf(c.Dtype)).Distinct()];
        bool essential = wrong.Any(c => c.Dtype == ScalarType.Float32);
        return new(essential ? Verdict.Broken : Verdict.Missing, What, found,
            essential ? "use another machine, or another number of threads if the table below has a column that is right" : $"do not use --precision {string.Join(" or ", precisions)} on this machine");
    }

    private static Line Memory()
    {
        long bytes;
        try
        {
            bytes = MemoryPlan.Available();
        }
        catch (ArgumentException e)
        {
            return new(Verdict.Broken, "memory", e.Message, $"unset {MemoryPlan.LimitVariable} or give a number of bytes");
        }

        string found = string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GB available");
        return bytes < 1L << 30
            ? new(Verdict.Missing, "memory", found, "the embedded model wants 1 GB, Stable Diffusion 1.x about 10 GB in float32: close other programs")
            : new(Verdict.Good, "memory", found, null);
    }

    private static IEnumerable<Line> Models(RunContext context, ModelRequest extra)
    {
        // The asked-for model first: what a model before it left in the allocator would hide some of its peak.
        Line[] asked = extra.Name is null ? []
            : Model(context, "model", extra, "give a diffusers-format folder (model_index.json, unet/, vae/, text_encoder/, tokenizer/, scheduler/ with .safetensors files) or an original single-file .safetensors checkpoint", essential: true);
        Line[] mini = Model(context, "sd-mini", new ModelRequest(), "clone the repository again (the model is part of it), build, and run this from the build's folder; or 'nulltext train --out runs/mini --export data/models/sd-mini'", essential: true);
        return [.. mini, .. asked, Pulled()];
    }

    // Names only: loading each would take minutes.
    private static Line Pulled()
    {
        ModelCache cache = ModelCache.FromEnvironment();
        try
        {
            CachedModel[] models = [.. cache.List().Where(m => m.IsPipeline)];
            return new(Verdict.Good, "pulled models", models.Length == 0
                ? $"none in {cache.Root}; 'nulltext model pull <owner/name>' fetches one"
                : $"{string.Join(", ", models.Select(m => m.Name.Id))} in {cache.Root}", null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(Verdict.Missing, "pulled models", e.Message, "make the folder readable, or set HF_HUB_CACHE to another");
        }
    }

    private static Line[] Model(RunContext context, string what, ModelRequest request, string mend, bool essential)
    {
        try
        {
            ModelSource found = request.Find(context);
            bool measured = ProcessMemory.ResetPeak();
            long before = ProcessMemory.Resident() ?? 0;
            Stopwatch clock = Stopwatch.StartNew();
            using StableDiffusion model = request.Load(context, found, new MemoryDemand { ImageSize = found.ImageSize, Rows = 1 });
            string memory = measured && ProcessMemory.Peak() is { } peak
                ? string.Create(CultureInfo.InvariantCulture, $", {WeightBytes(model) / 1e6:0} MB of weights at a peak of {(peak - before) / 1e6:0} MB")
                : "";
            Line loaded = new(Verdict.Good, what, string.Create(CultureInfo.InvariantCulture, $"{model.Name}, {model.ImageSize} px, loaded in {clock.Elapsed.TotalSeconds:0.0} s{memory} from {found.Path}"), null);
            return [loaded, .. Damage(model, what)];
        }
        catch (Exception e) when (e is ModelFormatException or ModelNotFoundException or CheckpointMismatchException or IOException or UnauthorizedAccessException or MemoryPlanException or ArgumentException)
        {
            return [new(essential ? Verdict.Broken : Verdict.Missing, what, e.Message, mend)];
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            return [new(Verdict.Broken, what, "cannot be loaded without libtorch", "mend libtorch first")];
        }
    }

    // A file with such numbers loads as any other; everything that is made with it is NaN.
    private static IEnumerable<Line> Damage(StableDiffusion model, string what)
    {
        const int Told = 8;
        (string Part, string Key, long NaN, long Infinite)[] bad =
        [
            .. model.Text.Weights.NotFinite().Select(b => ("text_encoder", b.Key, b.NaN, b.Infinite)),
            .. model.Vae.Weights.NotFinite().Select(b => ("vae", b.Key, b.NaN, b.Infinite)),
            .. model.UNet.Weights.NotFinite().Select(b => ("unet", b.Key, b.NaN, b.Infinite)),
        ];
        foreach ((string part, string key, long nan, long infinite) in bad.Take(Told))
            yield return new(Verdict.Broken, what, $"{part}: {key} has {nan} NaN and {infinite} infinite numbers", null);
        if (bad.Length > 0)
            yield return new(Verdict.Broken, what, $"{bad.Length} tensors hold numbers that are none, so every picture will be", "get the file again and compare its checksum; if it is the same, the training of this model diverged: take another. With a 16-bit --precision, try fp32 first");
    }

    private static double WeightBytes(StableDiffusion model) =>
        new[] { model.Text.Weights, model.Vae.Weights, model.UNet.Weights }.Sum(set => set.All.Where(w => w.HasValue).Sum(w => (double)w.Value.numel() * w.Value.element_size()));

    private static Line Chromium()
    {
        ChromiumSearch search = ChromiumRenderer.Find();
        return search.Renderer is null
            ? new(Verdict.Missing, "Chromium", "not found; charts are interactive HTML, their PNG copies are left out", "Debian: apt-get install chromium; or set " + ChromiumRenderer.EnvironmentVariable + " to a Chrome or Edge program")
            : new(Verdict.Good, "Chromium", search.Message, null);
    }

    private static Line Jupyter()
    {
        string? jupyter = OnPath("jupyter") ?? OnPath("jupyter-lab");
        string? kernel = KernelSpec.Installed();
        return (jupyter, kernel) switch
        {
            (not null, not null) => new(Verdict.Good, "Jupyter", $"{jupyter}, kernel {kernel}", null),
            (not null, null) => new(Verdict.Good, "Jupyter", $"{jupyter}; 'nulltext notebook' brings the kernel", null),
            _ => new(Verdict.Missing, "Jupyter", "not found; only notebooks need it", "sudo apt-get install --no-install-recommends jupyter-notebook, or pip install jupyterlab; then: nulltext notebook"),
        };
    }

    private static string? NvidiaDriver()
    {
        const string Version = "/proc/driver/nvidia/version";
        return File.Exists(Version) ? Version : OnPath("nvidia-smi");
    }

    private static string? OnPath(string program) =>
        (from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
         from ending in OperatingSystem.IsWindows() ? (string[])[".exe", ".cmd"] : [""]
         let path = Path.Combine(folder, program + ending)
         where File.Exists(path)
         select path).FirstOrDefault();

    private sealed record Line(Verdict Verdict, string What, string Found, string? Mend);
}
