using System.CommandLine;
using System.Globalization;
using NullTextResearch.Cli.Running;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Tensors;
using TorchSharp;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext invert`: from an image and its prompt to a run folder that can be edited.</summary>
internal static class InvertCommand
{
    public static Command Create()
    {
        Argument<string?> image = new("IMAGE")
        {
            Description = "PNG, JPEG or WebP file of any size (default: an example that suits the model; for Stable Diffusion, a photograph).",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> prompt = new("--prompt")
        {
            Description = "What the image shows (default: the first line of the .txt file of the same name next to it).",
        };
        ModelOptions model = new();
        Option<string> method = SharedOptions.Choice(
            "--method",
            "Inversion method ('nulltext methods' explains them).",
            InversionCatalogue.All[0].Id,
            [.. InversionCatalogue.All.Select(m => m.Id)]
        );
        Option<string> climb = SharedOptions.Choice(
            "--path",
            "How the image is turned into noise, for methods that take a path.",
            PathCatalogue.All[0].Id,
            [.. PathCatalogue.All.Select(p => p.Id)]
        );
        Option<int> steps = SharedOptions.Int("--steps", "DDIM steps.", 50, 1, 1000);
        Option<int> inner = SharedOptions.Int("--inner", "Optimisation steps per DDIM step.", 10, 0, 100_000);
        Option<double> guidance = SharedOptions.Number("--guidance", "Guidance scale w that edits will use.", 7.5, 0, 100);
        Option<string> preset = SharedOptions.Choice(
            "--preset",
            "default: the released code; paper: constant threshold and rate; fast: starts from the prompt, optimises only where needed.",
            "default",
            "default",
            "paper",
            "fast"
        );
        Option<string?> folder = new("--out") { Description = "Run folder (default: runs/ plus the image's name)." };
        Option<string?> crop = new("--crop")
        {
            Description = "Pixels to crop: left,top,right,bottom. The rest is centre-cropped to the aspect ratio of --size.",
        };
        Option<string> size = SharedOptions.Size("Size to resize to, in pixels:");
        Option<long> seed = new("--seed") { Description = "Seed for methods that draw noise.", DefaultValueFactory = _ => 0 };
        Option<string[]> set = OptionSetting.Create("method, and of its path with the prefix 'path.',");
        Option<bool> restart = new("--restart") { Description = "Do not resume an interrupted run; replace the contents of the run folder." };
        Command command = new("invert", "Find the noise and null texts of a real image: the first step of every edit.")
        {
            image,
            prompt,
            method,
            climb,
            steps,
            inner,
            guidance,
            preset,
            folder,
            crop,
            size,
            seed,
            set,
            restart,
        };
        model.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(crop) is { Implicit: false } && result.GetValue(crop) is { } text && !TryCrop(text, out _))
                result.AddError($"--crop is '{text}'; it must be four whole numbers, left,top,right,bottom, such as 0,20,0,20.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                InversionMethod chosen = InversionCatalogue.Find(parsed.GetValue(method)!);
                if (!chosen.Optimises && SharedOptions.WasGiven(parsed, inner))
                    throw new UsageException($"--inner does not apply to --method {chosen.Id}, which does not optimise; leave it out.");
                if (!chosen.IsPivotal && SharedOptions.WasGiven(parsed, preset))
                    throw new UsageException($"--preset does not apply to --method {chosen.Id}; leave it out.");
                if (SharedOptions.WasGiven(parsed, climb) && InversionCatalogue.Refusal(chosen, PathCatalogue.Find(parsed.GetValue(climb)!)) is { } mismatch)
                    throw new UsageException($"--method {chosen.Id} with --path {parsed.GetValue(climb)}: {mismatch}");
                string? path = parsed.GetValue(image);
                if (path is null && parsed.GetValue(prompt) is not null)
                    throw new UsageException("--prompt describes an image; give the IMAGE too, or leave both out for an example.");
                if (path is null && parsed.GetValue(crop) is not null)
                    throw new UsageException("--crop needs an IMAGE; the examples are used whole.");
                TryCrop(parsed.GetValue(crop) ?? "0,0,0,0", out int[] edges);
                return Run(
                    context,
                    new Request
                    {
                        Image = path,
                        Prompt = parsed.GetValue(prompt),
                        Model = model.Read(parsed),
                        Steps = parsed.GetValue(steps),
                        Guidance = parsed.GetValue(guidance),
                        Inversion = OptionSetting.Checked(() =>
                            InversionCatalogue.Create(
                                chosen.Id,
                                SharedOptions.WasGiven(parsed, climb) ? parsed.GetValue(climb) : null,
                                new MethodRequest
                                {
                                    InnerSteps = parsed.GetValue(inner),
                                    Seed = parsed.GetValue(seed),
                                    NullText = Preset(parsed.GetValue(preset)!),
                                    Options = OptionSetting.Read(parsed, set),
                                }
                            )
                        ),
                        Optimises = chosen.Optimises,
                        Folder = parsed.GetValue(folder),
                        Crop = edges,
                        Size = SharedOptions.ReadSize(parsed, size),
                        Restart = parsed.GetValue(restart),
                    }
                );
            }
        );
        return command.WithExamples(
            "nulltext invert photo.png --prompt \"a cat on a meadow\"",
            "nulltext invert photo.png --prompt \"a cat on a meadow\" --size keep --crop 0,20,0,20 --out runs/cat",
            "nulltext invert photo.png --prompt \"a cat\" --path fixed-point --set learning-rate=0.02 path.iterations=10",
            "nulltext invert --model stable-diffusion-v1-5/stable-diffusion-v1-5 --device cuda --precision fp16"
        );
    }

    private static Subject Given(string image, string? prompt)
    {
        RgbImage picture = ImageFile.Load(image);
        (string Caption, IReadOnlyList<PlannedEdit> Edits)? beside = ExperimentImages.TextBeside(image);
        return new Subject(
            image,
            picture,
            prompt
                ?? beside?.Caption
                ?? throw new UsageException(
                    $"say what {image} shows: --prompt \"...\", or the first line of {Path.ChangeExtension(Path.GetFileName(image), ".txt")} next to it."
                ),
            prompt is null ? beside!.Value.Edits : []
        );
    }

    private static Subject Example(SizeRule sizes)
    {
        // Resized below like any image.
        ExperimentImage example = ExperimentImages.For(sizes, 1)[0];
        return new Subject($"{ExperimentImages.SetFor(sizes)}/{example.Name}", example.Image, example.Caption, example.Edits);
    }

    private static NullTextOptions Preset(string name) =>
        name switch
        {
            "paper" => NullTextOptions.Paper,
            "fast" => NullTextOptions.Fast,
            _ => NullTextOptions.Default,
        };

    private static int Run(RunContext context, Request request)
    {
        // Cheap checks first: nothing large is loaded for an unusable image or prompt.
        Subject? own = request.Image is null ? null : Given(request.Image, request.Prompt);
        ModelSource found = request.Model.Find(context);
        Subject subject = own ?? Example(found.Sizes);
        RgbImage picture = subject.Picture;
        string runFolder = request.Folder ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(subject.Name));
        ImagePreparation preparation = new()
        {
            Left = request.Crop[0],
            Top = request.Crop[1],
            Right = request.Crop[2],
            Bottom = request.Crop[3],
        };
        PixelSize cropped = preparation.Remaining(PixelSize.Of(picture));
        PixelSize planned = SharedOptions.SizeFor(request.Size, cropped, found.Sizes);
        request = request with { Folder = runFolder };
        RunFolder folder = new(runFolder);
        // A complete run is only read. Otherwise the folder is locked for this process, which also shows early that it can be written.
        using OutputLock? alone = folder.IsComplete && !request.Restart ? null : OutputLock.OnFolder(runFolder);
        MemoryDemand demand = new()
        {
            ImageSize = planned,
            Rows = 2,
            GradientRows = request.Optimises ? 1 : 0,
        };
        using StableDiffusion model = request.Model.Load(context, found, demand);
        // A model that was probed for its prediction type may be smaller than its file suggested.
        PixelSize size = SharedOptions.SizeFor(request.Size, cropped, model.Sizes);
        RgbImage source = (preparation with { Size = size }).Apply(picture);
        SharedOptions.RequirePrompts(context, model, subject.Prompt);

        InversionRun run = new()
        {
            Model = request.Model,
            Found = found,
            Network = model,
            ImageName = subject.Name,
            Source = source,
            Prompt = subject.Prompt,
            Inversion = request.Inversion,
            Steps = request.Steps,
            Guidance = request.Guidance,
            Folder = folder,
            FolderName = runFolder,
            Restart = request.Restart,
        };
        (InversionManifest manifest, bool wasComplete) = run.Make(context);
        if (wasComplete)
        {
            context.Out.WriteLine("This run is already complete (--restart runs it again).");
            Summarise(context, folder, manifest);
            return CommandRunner.Done;
        }

        Summarise(context, folder, manifest);
        if (model.Device.type == DeviceType.CPU && ProcessMemory.PeakOwn() is { } peak)
            context.Out.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  memory           {(peak + MemoryPlan.CodeBytes) / 1e6:0} MB at most, {MemoryPlan.For(found, demand).TotalBytes / 1e6:0} MB planned"
                )
            );
        string[] edits = [.. subject.Edits.Select(e => $"\"{e.Prompt}\"{(e.SourceBlendWord is { } word ? $" --blend {word}" : "")}")];
        foreach (string edit in edits.DefaultIfEmpty("\"...\""))
            context.Out.WriteLine($"edit it: nulltext edit {runFolder} --to {edit}");
        return CommandRunner.Done;
    }

    private static void Summarise(RunContext context, RunFolder folder, InversionManifest m)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        context.Out.WriteLine($"{m.Method} of {m.Image}, \"{m.Prompt}\", {m.Model}, {m.ImageSize} px");
        context.Out.WriteLine($"  reconstruction   {PictureMeasures.Decibels(m.Psnr)} PSNR against the image");
        context.Out.WriteLine(
            $"  ceiling          {PictureMeasures.Decibels(m.VaePsnr)} (the autoencoder's round trip); reconstruction against round trip: "
                + $"{PictureMeasures.Decibels(m.PsnrAgainstVae)}"
        );
        context.Out.WriteLine(
            string.Create(culture, $"  cost             {m.Evaluations:0} network evaluations, {m.Backwards:0} with a backward pass, {m.Seconds:0.0} s")
        );
        if (m.ModelPrecision is { } precision && (precision != Precision.Names[0] || m.ModelMemory is not null))
        {
            string again = m.GradientBackOffs > 0 ? string.Create(culture, $", {m.GradientBackOffs} gradients recomputed because they overflowed") : "";
            context.Out.WriteLine($"  networks         {precision}{again}; memory saved by: {m.ModelMemory ?? new MemoryOptions()}");
        }

        context.Out.WriteLine($"  run folder       {folder.Path}");
    }

    private static bool TryCrop(string text, out int[] edges)
    {
        string[] parts = text.Split(',');
        edges = new int[4];
        if (parts.Length != 4)
            return false;
        for (int i = 0; i < 4; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out edges[i]))
                return false;
        }

        return true;
    }

    private sealed record Subject(string Name, RgbImage Picture, string Prompt, IReadOnlyList<PlannedEdit> Edits);

    private sealed record Request
    {
        public required string? Image { get; init; }

        public required string? Prompt { get; init; }

        public required ModelRequest Model { get; init; }

        public required int Steps { get; init; }

        public required double Guidance { get; init; }

        public required IInversion Inversion { get; init; }

        public required bool Optimises { get; init; }

        public required string? Folder { get; init; }

        public required int[] Crop { get; init; }

        public required ImageSizing Size { get; init; }

        public required bool Restart { get; init; }
    }
}
