using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>
/// What the files of methods have in common: a clean latent, prompts, a schedule and a U-Net with formula weights. The beginning of a file's name
/// gives its method (<c>edict_f32.safetensors</c>).
/// </summary>
internal sealed partial class GoldenMethods
{
    private static readonly Dictionary<string, Action<GoldenMethods>> Known = new(StringComparer.Ordinal)
    {
        ["inputs"] = m => m.Inputs(),
        ["fpi"] = m => m.FixedPoint(),
        ["aidi"] = m => m.FixedPoint(),
        ["eddpm"] = m => m.EditFriendly(),
        ["edict"] = m => m.Edict(),
        ["belm"] = m => m.Belm(),
        ["bdia"] = m => m.Bdia(),
        ["bdia_original"] = m => m.BdiaOriginal(),
        ["renoise"] = m => m.ReNoise(),
        ["gnri"] = m => m.Gnri(),
        ["spdinv"] = m => m.SpdInv(),
        ["masactrl"] = m => m.Masactrl(),
        ["pnp"] = m => m.PlugAndPlay(),
        ["diffedit"] = m => m.Diffedit(),
        ["infedit"] = m => m.Infedit(),
        ["image_metrics"] = m => m.ImageMetrics(),
        ["lpips"] = m => m.Lpips(),
        ["clip"] = m => m.Clip(),
        ["clip_b32"] = m => m.Clip(),
        ["dino"] = m => m.Dino(),
        ["pix2pix_zero"] = m => m.Pix2PixZero(),
        ["proxnpi"] = m => m.Proximal(),
        ["eta"] = m => m.Eta(),
        ["hedit"] = m => m.HEdit(),
    };

    private readonly GoldenFile _file;
    private readonly ScalarType _dtype;

    private GoldenMethods(GoldenFile file, ScalarType? dtype = null)
    {
        _file = file;
        _dtype = dtype ?? (file.Entry.TryGetProperty("dtype", out JsonElement type) && type.GetString() == "float32" ? ScalarType.Float32 : ScalarType.Float64);
    }

    /// <summary>Recomputes a method's file.</summary>
    /// <returns>False if the file's name does not begin with a known method.</returns>
    public static bool TryRecompute(GoldenFile file)
    {
        // Another set of references uses one of these names for its own table.
        if (InputsOf(file.Folder) is null || Known.GetValueOrDefault(MethodOf(file.Name)) is not { } method)
            return false;
        method(new GoldenMethods(file));
        return true;
    }

    private static string MethodOf(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        foreach (string ending in (string[])["_f64t", "_f32"])
        {
            if (name.EndsWith(ending, StringComparison.Ordinal))
                name = name[..^ending.Length];
        }
        return name;
    }

    /// <summary>The file that every method starts from, or null if the folder has none.</summary>
    private static string? InputsOf(GoldenFolder folder) => FileWith(folder, _ => true, "z0", "alphas_cumprod");

    /// <summary>The first file that contains all the given tensors, or null.</summary>
    private static string? FileWith(GoldenFolder folder, Func<string, bool> isRight, params string[] tensors) =>
        folder
            .Manifest.GetProperty("files")
            .EnumerateObject()
            .Where(f => isRight(f.Name) && tensors.All(t => f.Value.GetProperty("tensors").TryGetProperty(t, out _)))
            .Select(f => f.Name)
            .FirstOrDefault();

    private CancellationToken Cancellation => _file.Cancellation;

    private int Steps => _file.Entry.GetProperty("steps").GetInt32();

    private double Guided => _file.Entry.GetProperty("guidance").GetDouble();

    private string[] Prompts => GoldenEditing.Texts(_file.Entry.GetProperty("prompts"));

    private IEnumerable<JsonElement> Cases => _file.Entry.GetProperty("cases").EnumerateArray();

    private UNet2DConditionModel Network => _file.Folder.UNet(_file.Config, _dtype, _file.Name);

    /// <summary>z_0, [1, 4, H, W].</summary>
    private Tensor Clean => _file.Folder.Read(InputsOf(_file.Folder)!, "z0").to(_dtype);

    private INoisePredictor Predictor(INetworkHook? hook = null) => new UNetNoisePredictor(Network, hook);

    private Tensor Embed(params string[] prompts)
    {
        string config = _file.Folder.Manifest.GetProperty("configs").GetProperty("text").EnumerateObject().First().Name;
        long[] ids = [.. prompts.SelectMany(p => _file.Folder.Tokenizer.Tokenize(p).Ids).Select(i => (long)i)];
        return Lifetime.WithoutGradient(() => _file.Folder.TextModel(config, _dtype).Forward(tensor(ids, [prompts.Length, ids.Length / prompts.Length])));
    }

    private TokenizedPrompt Tokenized(string prompt) => _file.Folder.Tokenizer.Tokenize(prompt);

    /// <summary>The timesteps on the stored table, with this file's offset.</summary>
    private TimestepGrid Grid()
    {
        NoiseSchedule stored = _file.Folder.StoredSchedule();
        return _file.Entry.TryGetProperty("steps_offset", out JsonElement offset)
            ? new TimestepGrid(new NoiseSchedule(stored.AlphaBars, finalIsOne: false, offset.GetInt32()), Steps)
            : new TimestepGrid(stored, Steps);
    }

    private InversionProblem Problem(string prompt, double guidanceScale = 1, TimestepGrid? grid = null) =>
        new()
        {
            Predictor = Predictor(),
            Grid = grid ?? Grid(),
            Latents = Clean,
            Conditional = Embed(prompt),
            Unconditional = Embed(""),
            GuidanceScale = guidanceScale,
        };

    /// <summary>The latents after each step of a sampling run, [steps run, rows, 4, H, W].</summary>
    private Tensor Sampled(InversionProblem problem, Tensor start, IReplay replay, string prompt, double guidanceScale, bool isSource = true)
    {
        List<Tensor> after = [];
        using StepEmbeddings conditional = StepEmbeddings.Constant(Embed(prompt)),
            unconditional = StepEmbeddings.Constant(problem.Unconditional);
        SamplingPlan plan = new()
        {
            StartLatents = start,
            Conditional = conditional,
            Unconditional = unconditional,
            GuidanceScale = guidanceScale,
            Replay = replay,
            // A row that is not a source uses the guidance of targets.
            Rows = new BatchLayout([new BatchRow(0, isSource ? 0 : 1)]),
        };
        Sampler.Run(problem.Predictor, problem.Grid, plan, Keep, Cancellation).Dispose();
        Tensor all = stack(after);
        foreach (Tensor one in after)
            one.Dispose();
        return all;

        Tensor Keep(DiffusionStep step, Tensor latents)
        {
            after.Add(latents.clone().DetachFromDisposeScope());
            return latents;
        }
    }

    private static Tensor Stacked(PivotTrajectory levels) => stack([.. Enumerable.Range(0, levels.Steps + 1).Select(level => levels[level])]);

    /// <summary>An input of the method, which may be stored in only one of its files.</summary>
    private Tensor Stored(string tensor)
    {
        if (_file.Tensors.Contains(tensor))
            return _file.Read(tensor).to(_dtype);
        string method = MethodOf(_file.Name);
        string holder =
            FileWith(_file.Folder, name => MethodOf(name) == method, tensor)
            ?? throw new Weights.ModelFormatException($"No file of the method '{method}' contains its input '{tensor}'.");
        return _file.Folder.Read(holder, tensor).to(_dtype);
    }

    private static double Number(JsonElement golden, string name, double otherwise) =>
        golden.TryGetProperty(name, out JsonElement value) ? value.GetDouble() : otherwise;

    private static string Name(JsonElement golden) => golden.GetProperty("name").GetString()!;

    /// <summary>Reports a trajectory, or its last row if only that is stored.</summary>
    private void Report(string tensor, Tensor value)
    {
        _file.Report(tensor, value);
        if (value.Dimensions > 0 && _file.Wants(tensor + ".last"))
            _file.Report(tensor + ".last", value.select(0, value.shape[0] - 1));
    }

    private void Inputs()
    {
        string[] prompts = Prompts;
        Tensor ids = tensor(prompts.SelectMany(p => Tokenized(p).Ids).Select(i => (long)i).ToArray(), [prompts.Length, Tokenized("").Ids.Count]);
        _file.Report("input_ids", ids);
        _file.Report("context", Embed(prompts));
        Tensor stored = _file.Read("image_u8");
        _file.Report("image_u8", stored);
        Images.RgbImage picture = GoldenNetworks.Image(stored);
        Vae.AutoencoderKL vae = _file.Folder.Vae(_file.Config, _dtype);
        _file.Report("z0", Lifetime.WithoutGradient(() => vae.Encode(Images.ImageTensor.ToPixels(picture, dtype: _dtype))));
        NoiseSchedule own = _file.Folder.OwnSchedule();
        _file.Report("alphas_cumprod", tensor(own.AlphaBars.Select(a => (float)a).ToArray()));
        _file.Report("final_alpha_cumprod", tensor(new[] { (float)own.Final.AlphaBar }));
    }
}
