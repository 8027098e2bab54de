using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using NullTextResearch.Cli.Running;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext sample`: generates images from a prompt and noise.</summary>
internal static class SampleCommand
{
    private const int ImagesAtATime = 4;

    public static Command Create()
    {
        Option<string> prompt = new("--prompt") { Description = "What the images should show.", Required = true };
        ModelOptions model = new();
        Option<long> seed = new("--seed") { Description = "Seed of the first image; the others count up from it.", DefaultValueFactory = _ => 1 };
        Option<double> guidance = SharedOptions.Number("--guidance", "Guidance scale w.", 7.5, 0, 100);
        Option<int> steps = SharedOptions.Int("--steps", "DDIM steps.", 50, 1, 1000);
        Option<int> count = SharedOptions.Int("--count", "Number of images.", 4, 1, 1000);
        Option<string?> size = new("--size")
        {
            Description =
                $"Size of the images in pixels: 640x448 or 512, multiples of 8 up to {SizeRule.Most} (default: the square size that the model was trained at).",
        };
        size.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !PixelSize.TryParse(result.Tokens[0].Value, out _))
                result.AddError($"--size is '{result.Tokens[0].Value}'; it must be a size such as 640x448 or 512.");
        });
        Option<string> file = new("--out") { Description = "PNG file of the grid.", DefaultValueFactory = _ => "samples.png" };
        Command command = new("sample", "Generate images from a prompt.") { prompt, seed, guidance, steps, count, size, file };
        model.AddTo(command);
        CommandRunner.Handle(
            command,
            (parsed, context) =>
                Run(
                    context,
                    parsed.GetValue(prompt)!,
                    model.Read(parsed),
                    parsed.GetValue(seed),
                    parsed.GetValue(guidance),
                    parsed.GetValue(steps),
                    parsed.GetValue(count),
                    PixelSize.TryParse(parsed.GetValue(size), out PixelSize given) ? ImageSizing.Of(given) : ImageSizing.Own,
                    parsed.GetValue(file)!
                )
        );
        return command.WithExamples(
            "nulltext sample --prompt \"a red car in the desert\"",
            "nulltext sample --prompt \"a fox in the snow\" --count 9 --seed 7 --size 96x64 --out foxes.png"
        );
    }

    private static int Run(
        RunContext context,
        string prompt,
        ModelRequest request,
        long seed,
        double guidance,
        int steps,
        int count,
        ImageSizing sizing,
        string file
    )
    {
        ModelSource found = request.Find(context);
        // Shows that the file can be written before the work starts.
        using OutputLock place = OutputLock.OnFile(file);
        int batch = Math.Min(count, ImagesAtATime);
        using StableDiffusion model = request.Load(
            context,
            found,
            new MemoryDemand
            {
                ImageSize = SharedOptions.SizeFor(sizing, found.ImageSize, found.Sizes),
                Rows = 2 * batch,
                Images = batch,
            }
        );
        PixelSize size = SharedOptions.SizeFor(sizing, model.ImageSize, model.Sizes);
        SharedOptions.RequirePrompts(context, model, prompt);
        Stopwatch clock = Stopwatch.StartNew();
        List<RgbImage> images = [];
        context.Track(progress =>
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = no_grad();
            long height = size.Height / model.Vae.Config.Downscale,
                width = size.Width / model.Vae.Config.Downscale;
            TimestepGrid grid = model.Grid(steps);
            using StepEmbeddings unconditional = StepEmbeddings.Constant(model.Embed(""));
            Conditioning one = model.Embed(prompt);
            for (int first = 0; first < count; first += batch)
            {
                int rows = Math.Min(batch, count - first),
                    done = first;
                using DisposeScope inner = NewDisposeScope();
                using StepEmbeddings conditional = StepEmbeddings.Constant(one.Expand(rows));
                SamplingPlan plan = new()
                {
                    StartLatents = cat(
                        [.. Enumerable.Range(first, rows).Select(i => Seeds.Normal(seed + i, [1, model.UNet.Config.InChannels, height, width], one.Tokens))],
                        0
                    ),
                    Conditional = conditional,
                    Unconditional = unconditional,
                    GuidanceScale = guidance,
                };
                Tensor latents = Sampler.Run(model.Predictor(), grid, plan, Report, context.Cancel);
                images.AddRange(model.Decode(latents));

                Tensor Report(DiffusionStep step, Tensor now)
                {
                    progress.Report(new InversionProgress("sampling", (done / batch * steps) + step.Step + 1, (count + batch - 1) / batch * steps));
                    return now;
                }
            }
        });
        ImageGrid picture = ImageGrid.FilmStrip(
            images,
            [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"seed {seed + i}"))],
            (int)Math.Ceiling(Math.Sqrt(count))
        ) with
        {
            Title = prompt,
            Subtitle = string.Create(CultureInfo.InvariantCulture, $"{model.Name}, w = {guidance}, {steps} steps"),
        };
        ImageFile.SavePng(picture.Draw().Picture, file);
        context.Out.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{count} images of \"{prompt}\" in {clock.Elapsed.TotalSeconds:0.0} s: {Path.GetFullPath(file)}")
        );
        return CommandRunner.Done;
    }
}
