using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NullTextResearch.Experiments;
using TorchSharp;

namespace NullTextResearch.Cli.Running;

/// <summary>Options that several commands have, spelled and checked one way.</summary>
internal static class SharedOptions
{
    /// <summary>Word for the embedded model.</summary>
    public const string EmbeddedModel = "sd-mini";

    public static Option<string> Model() => new("--model")
    {
        Description = "Model folder in diffusers format, or sd-mini, the embedded model.",
        DefaultValueFactory = _ => EmbeddedModel,
    };

    public static Option<string> Device()
    {
        Option<string> option = new("--device") { Description = "cpu, cuda or cuda:N.", DefaultValueFactory = _ => "cpu" };
        option.Validators.Add(result =>
        {
            string value = result.Tokens.Count == 1 ? result.Tokens[0].Value : "cpu";
            bool good = value is "cpu" or "cuda" || (value.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(value[5..], NumberStyles.None, CultureInfo.InvariantCulture, out _));
            if (!good) result.AddError($"--device is '{value}'; it must be cpu, cuda or cuda:N.");
        });
        return option;
    }

    /// <summary>A whole number between bounds.</summary>
    public static Option<int> Int(string name, string description, int value, int least, int most)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result => Check(result, name, least, most));
        return option;
    }

    /// <summary>A number between bounds.</summary>
    public static Option<double> Number(string name, string description, double value, double least, double most)
    {
        Option<double> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result => Check(result, name, least, most));
        return option;
    }

    /// <summary>A number between bounds, or nothing.</summary>
    public static Option<double?> OptionalNumber(string name, string description, double least, double most)
    {
        Option<double?> option = new(name) { Description = description };
        option.Validators.Add(result => Check(result, name, least, most));
        return option;
    }

    /// <summary>One of several words.</summary>
    public static Option<string> Choice(string name, string description, string value, params IReadOnlyList<string> choices)
    {
        Option<string> option = new(name) { Description = $"{description} One of: {string.Join(", ", choices)}.", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !choices.Contains(result.Tokens[0].Value))
                result.AddError($"{name} is '{result.Tokens[0].Value}'; it must be one of: {string.Join(", ", choices)}.");
        });
        return option;
    }

    /// <summary>Whether an option was typed.</summary>
    public static bool WasGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The folder of a model.</summary>
    public static string ModelFolder(string model) => model == EmbeddedModel ? StableDiffusion.MiniFolder() : model;

    /// <summary>Refuses a job that does not fit, then loads the model.</summary>
    public static StableDiffusion Load(string folder, string deviceName, MemoryDemand demand)
    {
        torch.Device device = torch.device(deviceName);
        if (device.type == DeviceType.CUDA && !torch.cuda.is_available())
            throw new CommandException("--device cuda: this build of libtorch sees no CUDA device. Use --device cpu, or build with -p:TorchBackend=cuda on a machine with an NVIDIA driver ('nulltext doctor' says more).");
        // What a GPU has free is not known before it is asked for; the plan is about this machine's memory.
        if (device.type == DeviceType.CPU && Directory.Exists(Path.Combine(folder, "unet")) && Directory.Exists(Path.Combine(folder, "vae")))
            MemoryPlan.ForFolder(folder, demand).RequireFits();
        return StableDiffusion.Load(folder, new ModelLoadOptions { Device = device });
    }

    /// <summary>Pixels per side of the images a model folder was trained on; 1 where parts are missing, which loading reports.</summary>
    public static int ModelImageSize(string folder)
    {
        if (!Directory.Exists(Path.Combine(folder, "unet")) || !Directory.Exists(Path.Combine(folder, "vae"))) return 1;
        UNet.UNetConfig unet = UNet.UNetConfig.Read(Weights.ConfigReader.FromFile(Path.Combine(folder, "unet", "config.json")));
        return unet.SampleSize * Vae.VaeConfig.Read(Weights.ConfigReader.FromFile(Path.Combine(folder, "vae", "config.json"))).Downscale;
    }

    private static void Check(OptionResult result, string name, double least, double most)
    {
        if (result.Tokens.Count != 1) return;
        string text = result.Tokens[0].Value;
        // What is no number at all is reported by the parser.
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && !(value >= least && value <= most))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} is {text}; it must lie between {least} and {most}."));
    }
}
