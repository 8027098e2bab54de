using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>A folder of reference numbers: manifest, checks, files, and the networks that its formula makes.</summary>
internal sealed class GoldenFolder : IDisposable
{
    /// <summary>Networks above this size do not stay in memory beside another one.</summary>
    private const long LargeNetwork = 20_000_000;

    private readonly Dictionary<string, SafetensorsFile> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Kind, string Config, ScalarType Dtype), (IDisposable Network, WeightSet Weights)> _networks = [];
    private readonly string _path;
    private WordTableTokenizer? _tokenizer;

    private readonly StableDiffusion? _model;

    public GoldenFolder(string path, StableDiffusion? model = null)
    {
        (_path, _model) = (path, model);
        string manifest = Path.Combine(path, "manifest.json"),
            checks = Path.Combine(path, "checks.json");
        Manifest = GoldenManifest.Read(manifest);
        GoldenManifest.Check(Manifest, manifest);
        Checks =
            GoldenManifest.Read(checks).TryGetProperty("checks", out JsonElement limits) && limits.ValueKind == JsonValueKind.Object
                ? limits
                : throw new ModelFormatException($"{checks}: the object 'checks' is missing.");
        Formula = new FormulaWeights(Manifest.TryGetProperty("name_prefix", out JsonElement prefix) ? prefix.GetString() ?? "" : "");
    }

    public JsonElement Manifest { get; }

    public JsonElement Checks { get; }

    public FormulaWeights Formula { get; }

    public ITextTokenizer Tokenizer => _tokenizer ??= WordTableTokenizer.FromJson(Manifest.GetProperty("tokenizer"));

    public JsonElement Entry(string file) =>
        Manifest.GetProperty("files").TryGetProperty(file, out JsonElement entry)
            ? entry
            : throw new ModelFormatException($"manifest.json describes no file '{file}'.");

    public bool Has(string file) => File.Exists(Path.Combine(_path, file));

    public SafetensorsFile Open(string file)
    {
        if (!_open.TryGetValue(file, out SafetensorsFile? open))
            _open[file] = open = SafetensorsFile.Open(Path.Combine(_path, file));
        return open;
    }

    /// <summary>A stored tensor; owned by the caller's dispose scope.</summary>
    public Tensor Read(string file, string tensor) => Open(file).Read(tensor);

    /// <summary>The stored tensor that {"file", "tensor", "rows"} means, floating-point ones in the given type.</summary>
    public Tensor Read(JsonElement reference, ScalarType dtype)
    {
        Tensor value = Read(reference.GetProperty("file").GetString()!, reference.GetProperty("tensor").GetString()!);
        if (value.is_floating_point())
            value = value.to(dtype);
        return reference.TryGetProperty("rows", out JsonElement rows)
            ? value.index_select(0, tensor(rows.EnumerateArray().Select(r => r.GetInt64()).ToArray()))
            : value;
    }

    /// <summary>The schedule as this library computes it from the folder's settings.</summary>
    public NoiseSchedule OwnSchedule()
    {
        ConfigReader json = SchedulerConfig();
        json.RequireEqual("beta_schedule", json.Text("beta_schedule", "scaled_linear"), "scaled_linear");
        return NoiseSchedule.ScaledLinear(
            json.Number("beta_start"),
            json.Number("beta_end"),
            json.Int("num_train_timesteps", 1000),
            json.Flag("set_alpha_to_one", false),
            json.Int("steps_offset", 1)
        );
    }

    /// <summary>The stored table, for agreement beyond the digits of float32.</summary>
    public NoiseSchedule StoredSchedule()
    {
        using DisposeScope scope = NewDisposeScope();
        ConfigReader json = SchedulerConfig();
        double[] table = Read(ScheduleFile, "alphas_cumprod").to(ScalarType.Float64).data<double>().ToArray();
        return new NoiseSchedule(table, json.Flag("set_alpha_to_one", false), json.Int("steps_offset", 1));
    }

    /// <summary>A U-Net's configuration; nothing is built.</summary>
    public UNetConfig UNetConfiguration(string config) => UNetConfig.Read(Config("unet", config));

    public ConfigReader SchedulerConfig() => Config("scheduler", null);

    public ClipTextModel TextModel(string config, ScalarType dtype) =>
        Network("text", config, dtype, () => new ClipTextModel(ClipTextConfig.Read(Config("text", config))), m => m.Weights, m => m.Text, null);

    public AutoencoderKL Vae(string config, ScalarType dtype) =>
        Network(
            "vae",
            config,
            dtype,
            () =>
            {
                VaeConfig read = VaeConfig.Read(Config("vae", config));
                JsonElement configs = Manifest.GetProperty("configs");
                return new AutoencoderKL(
                    configs.TryGetProperty("vae_scaling_factor", out JsonElement factor) ? read with { ScalingFactor = factor.GetDouble() } : read
                );
            },
            m => m.Weights,
            m => m.Vae,
            CheckpointKeys.OlderVaeKey
        );

    /// <summary>The U-Net, with sinusoids as the file was made: float32 ones, or for names ending in f64t float64 ones.</summary>
    /// <remarks>A float64 run keeps more digits than a float32 sinusoid is reproducible to, so it takes the stored sinusoids where there are any.</remarks>
    public UNet2DConditionModel UNet(string config, ScalarType dtype, string file)
    {
        UNet2DConditionModel unet = Network(
            "unet",
            config,
            dtype,
            () => new UNet2DConditionModel(UNetConfiguration(config)),
            m => m.Weights,
            m => m.UNet,
            null
        );
        bool inDouble = Path.GetFileNameWithoutExtension(file).EndsWith("_f64t", StringComparison.Ordinal);
        string table = $"time_proj_{unet.Config.BlockOutChannels[0]}_all";
        unet.TimeProjection =
            dtype == ScalarType.Float64 && !inDouble && Has(ScheduleFile) && Open(ScheduleFile).Has(table)
                ? new TableProjection(Read(ScheduleFile, table).to(dtype))
                : new SinusoidalProjection(inDouble ? ScalarType.Float64 : ScalarType.Float32, unet.Config.FlipSinToCos, unet.Config.FreqShift);
        return unet;
    }

    public void Dispose()
    {
        foreach (SafetensorsFile file in _open.Values)
            file.Dispose();
        foreach ((IDisposable network, _) in _networks.Values)
            network.Dispose();
    }

    private string ScheduleFile =>
        Manifest.GetProperty("files").EnumerateObject().FirstOrDefault(f => f.Value.GetProperty("tensors").TryGetProperty("alphas_cumprod", out _)).Name
        ?? throw new ModelFormatException("No file of the folder holds alphas_cumprod, which float64 runs start from.");

    private ConfigReader Config(string kind, string? name)
    {
        JsonElement configs = Manifest.GetProperty("configs").GetProperty(kind);
        return new ConfigReader(name is null ? configs : configs.GetProperty(name), $"manifest.json: configs.{kind}{(name is null ? "" : "." + name)}");
    }

    private T Network<T>(
        string kind,
        string config,
        ScalarType dtype,
        Func<T> make,
        Func<T, WeightSet> weightsOf,
        Func<StableDiffusion, T> ofModel,
        Func<string, string>? hashedKey
    )
        where T : IDisposable
    {
        if (_networks.TryGetValue((kind, config, dtype), out (IDisposable Network, WeightSet Weights) have))
            return (T)have.Network;
        foreach (((string, string, ScalarType) key, (IDisposable network, WeightSet weights)) in _networks.ToArray())
        {
            if (weights.ParameterCount < LargeNetwork)
                continue;
            network.Dispose();
            _networks.Remove(key);
        }
        T made = make();
        if (_model is not null)
        {
            // Declared only; what is compared must be the model's own.
            using T declared = made;
            T own = ofModel(_model);
            if (!Shapes(weightsOf(own)).SequenceEqual(Shapes(weightsOf(declared))) || weightsOf(own).All[0].Value.dtype != dtype)
                throw new ModelFormatException($"The {kind} network of {_model.Name} is not that of the configuration '{config}' in {dtype}.");
            return own;

            static IEnumerable<string> Shapes(WeightSet weights) =>
                weights.All.Select(w => $"{w.Key} {Shape.Text(w.Dimensions)}").Order(StringComparer.Ordinal);
        }
        Formula.Fill(weightsOf(made), dtype, hashedKey);
        _networks.Add((kind, config, dtype), (made, weightsOf(made)));
        return made;
    }
}
