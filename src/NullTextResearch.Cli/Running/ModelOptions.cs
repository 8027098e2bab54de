using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Loading;
using NullTextResearch.Models;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;

namespace NullTextResearch.Cli.Running;

/// <summary>The options that name a model and say how to read it, the same in every command.</summary>
internal sealed class ModelOptions
{
    private const string Epsilon = "epsilon";
    private const string Velocity = "v";

    private readonly Option<string?> _model;
    private readonly Option<string?> _variant = new("--variant")
    {
        Description = "Weight files of this variant (fp16 for diffusion_pytorch_model.fp16.safetensors). Default: the plain files, else whatever exists.",
    };
    private readonly Option<string?> _prediction = new("--prediction")
    {
        Description =
            "What the network predicts: epsilon (noise) or v (velocity). Default: as the model declares; a single file of Stable Diffusion 2.x that does not "
            + "declare it is probed.",
    };
    private readonly Option<string?> _tokenizer = new("--tokenizer")
    {
        Description = "Folder with CLIP's vocab.json and merges.txt, for single files. Default: next to the file, or in the model hub's cache.",
    };
    private readonly Option<string> _device = SharedOptions.Device();
    private readonly Option<string?> _precision = new("--precision")
    {
        Description =
            $"Precision of the U-Net and the text encoder: {string.Join(", ", Precision.Names)}. Everything between the networks stays fp32 (default: fp32).",
    };
    private readonly Option<string?> _vaePrecision = new("--vae-precision") { Description = "Precision of the autoencoder (default: fp32)." };
    private readonly Option<bool> _checkpointing = new("--checkpointing")
    {
        Description = "Save memory: compute gradients in segments of the U-Net. About a third slower.",
    };
    private readonly Option<bool> _sequential = new("--sequential") { Description = "Save memory: run the two predictions of guidance one after the other." };
    private readonly Option<int> _vaeTile = SharedOptions.Int(
        "--vae-tile",
        "Save memory: run the autoencoder in blended tiles of this many latents (64 are 512 pixels); 0 for no tiles.",
        0,
        0,
        1024
    );
    private readonly Option<bool> _offload = new("--offload") { Description = "Save memory: load text encoder and autoencoder only while they are in use." };

    public ModelOptions(
        string description =
            "Model folder in diffusers format, a single-file .safetensors checkpoint, owner/name of a pulled model ('nulltext model list'), or sd-mini, "
            + "the embedded model (default)."
    )
    {
        _model = new("--model") { Description = description, HelpName = "model" };
        _model.CompletionSources.Add(_ => [new CompletionItem(SharedOptions.EmbeddedModel), .. PulledModels()]);
        _prediction.CompletionSources.Add(Epsilon, Velocity);
        _prediction.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && result.Tokens[0].Value is not (Epsilon or Velocity))
                result.AddError($"--prediction is '{result.Tokens[0].Value}'; it must be {Epsilon} or {Velocity}.");
        });
        foreach (Option<string?> precision in (Option<string?>[])[_precision, _vaePrecision])
        {
            precision.CompletionSources.Add([.. Precision.Names]);
            precision.Validators.Add(result =>
            {
                if (result.Tokens.Count == 1 && !Precision.Names.Contains(result.Tokens[0].Value))
                    result.AddError($"{precision.Name} is '{result.Tokens[0].Value}'; it must be one of {string.Join(", ", Precision.Names)}.");
            });
        }
        _vaeTile.Validators.Add(result =>
        {
            if (
                result.Tokens.Count == 1
                && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int tile)
                && tile is > 0 and < 8
            )
                result.AddError($"--vae-tile is {tile}; it must be at least 8 latents, or 0 for no tiles.");
        });
    }

    private static IEnumerable<CompletionItem> PulledModels()
    {
        try
        {
            return [.. ModelCache.FromEnvironment().List().Where(m => m.IsPipeline).Select(m => new CompletionItem(m.Name.Id))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A shell wants completions, not what is wrong with a folder; 'nulltext doctor' reports that.
            return [];
        }
    }

    /// <summary>Where the model runs, for options that need to know.</summary>
    public Option<string> Device => _device;

    public void AddTo(Command command)
    {
        foreach (
            Option option in (Option[])
                [_model, _variant, _prediction, _tokenizer, _device, _precision, _vaePrecision, _checkpointing, _sequential, _vaeTile, _offload]
        )
            command.Options.Add(option);
    }

    public ModelRequest Read(ParseResult parsed) =>
        new()
        {
            Name = parsed.GetValue(_model),
            Variant = parsed.GetValue(_variant),
            Prediction = parsed.GetValue(_prediction) switch
            {
                Epsilon => PredictionType.Epsilon,
                Velocity => PredictionType.Velocity,
                _ => null,
            },
            Tokenizer = parsed.GetValue(_tokenizer),
            Device = parsed.GetValue(_device) ?? "cpu",
            Precision = parsed.GetValue(_precision),
            VaePrecision = parsed.GetValue(_vaePrecision),
            Memory = new MemoryOptions
            {
                Checkpointing = parsed.GetValue(_checkpointing),
                Sequential = parsed.GetValue(_sequential),
                VaeTile = parsed.GetValue(_vaeTile) is > 0 and int tile ? tile : null,
                Offload = parsed.GetValue(_offload),
            },
        };
}

/// <summary>A requested model.</summary>
internal sealed record ModelRequest
{
    /// <summary>As typed; null if not given.</summary>
    public string? Name { get; init; }

    public string? Variant { get; init; }

    public PredictionType? Prediction { get; init; }

    public string? Tokenizer { get; init; }

    public string Device { get; init; } = "cpu";

    /// <summary>Name of the networks' precision; null if none was given.</summary>
    public string? Precision { get; init; }

    /// <summary>Name of the autoencoder's precision; null if none was given.</summary>
    public string? VaePrecision { get; init; }

    public MemoryOptions Memory { get; init; } = new();

    /// <summary>Whether it is the embedded model.</summary>
    public bool IsEmbedded => Name is null or SharedOptions.EmbeddedModel;

    /// <summary>Inspects the model; nothing large is read.</summary>
    public ModelSource Find(RunContext context) =>
        ModelSource.Find(
            SharedOptions.ModelPath(Name ?? SharedOptions.EmbeddedModel),
            new ModelLoadOptions
            {
                Device = Tensors.ComputeDevice.Parse(Device),
                Dtype = Tensors.Precision.Parse(Precision ?? Tensors.Precision.Names[0]),
                VaeDtype = VaePrecision is { } vae ? Tensors.Precision.Parse(vae) : null,
                Memory = Memory,
                Variant = Variant,
                Prediction = Prediction,
                Tokenizer = Tokenizer,
                Progress = new Lines(context.Error),
            }
        );

    /// <summary>Refuses a job that does not fit, then loads the model.</summary>
    public StableDiffusion Load(RunContext context, ModelSource source, MemoryDemand demand)
    {
        MemoryPlan.RequireFits(source, demand);
        context.Choose(source, demand.ImageSize);
        StableDiffusion model = StableDiffusion.Load(source, context.Cancel);
        foreach (string note in model.Notes)
            context.Error.WriteLine($"note: {note}");
        return model;
    }

    /// <summary>Prints a line now and then; none for models that load quickly.</summary>
    private sealed class Lines(TextWriter error) : IProgress<LoadProgress>
    {
        private readonly LinePace _pace = new();

        public void Report(LoadProgress value)
        {
            if (!_pace.IsDue())
                return;
            error.WriteLine($"{value.Stage}: {value.Where}, {Terminal.Time(_pace.Elapsed)} so far");
        }
    }
}
