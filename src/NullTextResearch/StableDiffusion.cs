using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>How to load a model.</summary>
public sealed record ModelLoadOptions
{
    /// <summary>Where the networks run; null means the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>Precision of weights and arithmetic. Null-text optimisation needs float32 or better.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;
}

/// <summary>A loaded Stable Diffusion 1.x model: tokenizer, text encoder, autoencoder, U-Net and schedule. Owns its networks.</summary>
public sealed class StableDiffusion : IDisposable
{
    /// <summary>Puts a model together from parts; takes ownership of the networks.</summary>
    public StableDiffusion(string name, ITextTokenizer tokenizer, ClipTextModel text, AutoencoderKL vae, UNet2DConditionModel unet, NoiseSchedule schedule)
    {
        if (text.Config.HiddenSize != unet.Config.CrossAttentionDim)
            throw new ModelFormatException($"{name}: the text encoder is {text.Config.HiddenSize} wide, the U-Net expects {unet.Config.CrossAttentionDim}; the parts come from different models.");
        if (vae.Config.LatentChannels != unet.Config.InChannels)
            throw new ModelFormatException($"{name}: the autoencoder has {vae.Config.LatentChannels} latent channels, the U-Net expects {unet.Config.InChannels}; the parts come from different models.");
        Name = name;
        Tokenizer = tokenizer;
        Text = text;
        Vae = vae;
        UNet = unet;
        Schedule = schedule;
    }

    /// <summary>Name, as in manifests: that of the folder.</summary>
    public string Name { get; }

    /// <summary>Folder it was loaded from, or null.</summary>
    public string? Folder { get; init; }

    /// <summary>Prompt to token ids.</summary>
    public ITextTokenizer Tokenizer { get; }

    /// <summary>Token ids to text embedding.</summary>
    public ClipTextModel Text { get; }

    /// <summary>Pixels to latents and back.</summary>
    public AutoencoderKL Vae { get; }

    /// <summary>Noise predictor.</summary>
    public UNet2DConditionModel UNet { get; }

    /// <summary>Noise schedule.</summary>
    public NoiseSchedule Schedule { get; }

    /// <summary>Where it runs.</summary>
    public Device Device => UNet.Device;

    /// <summary>Precision.</summary>
    public ScalarType Dtype => UNet.Dtype;

    /// <summary>Pixels per side of the images it was trained on.</summary>
    public int ImageSize => UNet.Config.SampleSize * Vae.Config.Downscale;

    /// <summary>Loads a diffusers-format folder.</summary>
    /// <param name="folder">Holds model_index.json, unet/, vae/, text_encoder/, tokenizer/, scheduler/.</param>
    /// <param name="options">Device and precision.</param>
    /// <exception cref="ModelFormatException">A part is missing, or something is not supported.</exception>
    /// <exception cref="CheckpointMismatchException">Weights do not fit their config.</exception>
    public static StableDiffusion Load(string folder, ModelLoadOptions? options = null)
    {
        options ??= new ModelLoadOptions();
        Device device = options.Device ?? CPU;
        if (!Directory.Exists(folder)) throw new ModelFormatException($"There is no model folder {folder}.");
        string[] needed = ["unet", "vae", "text_encoder", "tokenizer", "scheduler"];
        string[] absent = [.. needed.Where(part => !Directory.Exists(Path.Combine(folder, part)))];
        if (absent.Length > 0)
            throw new ModelFormatException($"{folder} is no diffusers-format model folder: it lacks {string.Join(", ", absent)}. Expected: {string.Join(", ", needed)}, each a folder.");

        NoiseSchedule schedule = ReadSchedule(ConfigReader.FromFile(Path.Combine(folder, "scheduler", "scheduler_config.json")));
        ClipTokenizer tokenizer = ClipTokenizer.Load(Path.Combine(folder, "tokenizer"));
        List<IDisposable> built = [];
        try
        {
            ClipTextModel text = new(ClipTextConfig.Read(ConfigReader.FromFile(Path.Combine(folder, "text_encoder", "config.json"))));
            built.Add(text);
            AutoencoderKL vae = new(VaeConfig.Read(ConfigReader.FromFile(Path.Combine(folder, "vae", "config.json"))));
            built.Add(vae);
            UNet2DConditionModel unet = new(UNetConfig.Read(ConfigReader.FromFile(Path.Combine(folder, "unet", "config.json"))));
            built.Add(unet);
            LoadPart(text.Weights, Path.Combine(folder, "text_encoder"), "model", null);
            LoadPart(vae.Weights, Path.Combine(folder, "vae"), "diffusion_pytorch_model", CheckpointKeys.NewerVaeKey);
            LoadPart(unet.Weights, Path.Combine(folder, "unet"), "diffusion_pytorch_model", null);
            return new StableDiffusion(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), tokenizer, text, vae, unet, schedule) { Folder = folder };
        }
        catch
        {
            foreach (IDisposable part in built) part.Dispose();
            throw;
        }

        void LoadPart(WeightSet weights, string part, string stem, Func<string, string?>? canonical)
        {
            string path = Path.Combine(part, stem + ".safetensors");
            if (!File.Exists(path))
            {
                string[] pickles = [.. Directory.GetFiles(part).Where(f => Path.GetExtension(f) is ".bin" or ".ckpt" or ".pt" or ".pth")];
                throw new ModelFormatException(pickles.Length > 0
                    ? $"{part} holds {Path.GetFileName(pickles[0])}, a pickle checkpoint: opening one can run code, so it is refused. Save the model as safetensors (in Python: save_pretrained(..., safe_serialization=True))."
                    : $"Missing file: {path}");
            }
            using SafetensorsFile file = SafetensorsFile.Open(path);
            StrictLoad.Load(weights, file, device, options.Dtype, canonical);
        }
    }

    /// <summary>The folder of the embedded model sd-mini.</summary>
    /// <exception cref="ModelFormatException">It is not beside the program, nor in a checkout around it.</exception>
    public static string MiniFolder()
    {
        // In a notebook of another program the model came with the folder that a cell referenced, which is this assembly's.
        string[] folders = [AppContext.BaseDirectory, Path.GetDirectoryName(typeof(StableDiffusion).Assembly.Location) ?? ""];
        List<string> looked = [.. folders.Where(f => f.Length > 0).Select(f => Path.Combine(Path.TrimEndingDirectorySeparator(f), "models", "sd-mini")).Distinct()];
        int named = looked.Count;
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
            looked.Add(Path.Combine(at.FullName, "data", "models", "sd-mini"));
        return looked.Find(f => File.Exists(Path.Combine(f, "model_index.json")))
            ?? throw new ModelFormatException($"The embedded model sd-mini was not found; looked in {string.Join(", ", looked.Take(named))} and in data/models/sd-mini of every folder above it.");
    }

    /// <summary>Loads the embedded model.</summary>
    public static StableDiffusion LoadMini(ModelLoadOptions? options = null) => Load(MiniFolder(), options);

    /// <summary>Reads a scheduler_config.json.</summary>
    /// <exception cref="ModelFormatException">It asks for something not supported.</exception>
    public static NoiseSchedule ReadSchedule(ConfigReader json)
    {
        json.RequireEqual("beta_schedule", json.Text("beta_schedule", "scaled_linear"), "scaled_linear");
        json.RequireEqual("prediction_type", json.Text("prediction_type", "epsilon"), "epsilon");
        // clip_sample is ignored on purpose: the published pipelines run with it off, whatever an old config says.
        // So is the offset: they rewrite an offset of 0 to 1, because with 0 the last step would be an identity.
        return NoiseSchedule.ScaledLinear(json.Number("beta_start"), json.Number("beta_end"), json.Int("num_train_timesteps", 1000), json.Flag("set_alpha_to_one", false), stepsOffset: 1);
    }

    /// <summary>Embeds prompts.</summary>
    /// <param name="prompts">One per image.</param>
    /// <returns>[B, 77, d]; owned by the caller's dispose scope.</returns>
    /// <exception cref="PromptTooLongException">A prompt does not fit the context.</exception>
    public Tensor Embed(params IReadOnlyList<string> prompts) => Embed([.. prompts.Select(p => Tokenizer.Tokenize(p).EnsureFits())]);

    /// <summary>Embeds tokenized prompts.</summary>
    /// <returns>[B, 77, d]; owned by the caller's dispose scope.</returns>
    public Tensor Embed(IReadOnlyList<TokenizedPrompt> prompts) => Lifetime.WithoutGradient(() => Text.Forward(TokenizedPrompt.Stack(prompts, Device)));

    /// <summary>Latents of images.</summary>
    /// <param name="images">All of one size, sides divisible by the autoencoder's factor.</param>
    /// <returns>z_0, [B, 4, H/f, W/f]; owned by the caller's dispose scope.</returns>
    public Tensor Encode(IReadOnlyList<RgbImage> images) => Lifetime.WithoutGradient(() => Vae.Encode(ImageTensor.ToPixels(images, Device, Dtype)));

    /// <summary>Images of latents.</summary>
    /// <param name="latents">[B, 4, h, w]; borrowed.</param>
    public RgbImage[] Decode(Tensor latents)
    {
        using Tensor pixels = Lifetime.WithoutGradient(() => Vae.Decode(latents.to(Dtype)));
        return ImageTensor.ToImages(pixels);
    }

    /// <summary>A noise predictor over the U-Net.</summary>
    /// <param name="attention">What happens at attention layers; null means fused attention.</param>
    public INoisePredictor Predictor(IAttentionProcessor? attention = null) => new UNetNoisePredictor(UNet, attention);

    /// <summary>A sampling grid of T steps.</summary>
    public TimestepGrid Grid(int steps) => new(Schedule, steps);

    /// <inheritdoc/>
    public void Dispose()
    {
        Text.Dispose();
        Vae.Dispose();
        UNet.Dispose();
    }
}

/// <summary>The U-Net behind the seam that all algorithms use.</summary>
/// <param name="unet">Network; borrowed.</param>
/// <param name="attention">What happens at attention layers; null means fused attention.</param>
public sealed class UNetNoisePredictor(UNet2DConditionModel unet, IAttentionProcessor? attention = null) : INoisePredictor
{
    /// <inheritdoc/>
    public Tensor Predict(Tensor latents, DiffusionStep step, Tensor embedding)
    {
        using Tensor timesteps = tensor((long[])[step.Timestep], device: latents.device);
        return unet.Forward(latents, timesteps, embedding, attention, step.Step);
    }
}
