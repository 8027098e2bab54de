using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using NullTextResearch.Cli.Running;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext compare`: one image, several methods and editors, as a grid with numbers.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "PNG, JPEG or WebP of any size.", HelpName = "IMAGE" };
        Option<string> prompt = new("--prompt") { Description = "What the image shows.", Required = true };
        Option<string?> to = new("--to") { Description = "What the edits should show; leave it out to compare reconstructions only." };
        Option<string> methods = new("--methods")
        {
            Description = "Methods, each with @path unless that is DDIM inversion: null-text,null-text@fixed-point,edict ('nulltext methods' lists them).",
            DefaultValueFactory = _ => "ddim,npi,direct,null-text,edit-friendly,edict",
        };
        Option<string> editors = new("--editors")
        {
            Description = "Editors, with --to ('nulltext methods' lists them).",
            DefaultValueFactory = _ => EditorCatalogue.All[0].Id,
        };
        Option<int> steps = SharedOptions.Int("--steps", "DDIM steps.", 50, 1, 1000);
        Option<int> inner = SharedOptions.Int("--inner", "Optimisation steps per DDIM step.", 10, 0, 100_000);
        Option<double> guidance = SharedOptions.Number("--guidance", "Guidance scale w.", 7.5, 0, 100);
        Option<long> seed = new("--seed") { Description = "Seed for methods that draw noise.", DefaultValueFactory = _ => 0 };
        Option<string> size = SharedOptions.Size("Size to resize to, in pixels:");
        Option<string?> folder = new("--out")
        {
            Description = "Folder (default: runs/compare- plus the image's name); results found there are not computed again.",
        };
        ModelOptions model = new();
        Command command = new("compare", "Invert and edit one image with several methods, and put the pictures and numbers side by side.")
        {
            image,
            prompt,
            to,
            methods,
            editors,
            steps,
            inner,
            guidance,
            seed,
            size,
            folder,
        };
        model.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(to) is null && result.GetResult(editors) is { Implicit: false })
                result.AddError("--editors need a target: give --to \"...\" too, or leave them out.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                MethodRequest request = new() { InnerSteps = parsed.GetValue(inner), Seed = parsed.GetValue(seed) };
                MethodChoice[] choices = [.. SharedOptions.Ids("--methods", parsed.GetValue(methods)!).Select(name => Chosen(name, request))];
                EditorMethod[] chosen =
                [
                    .. parsed.GetValue(to) is null
                        ? []
                        : SharedOptions
                            .Ids("--editors", parsed.GetValue(editors)!)
                            .Select(id => SharedOptions.Named("--editors", () => EditorCatalogue.Find(id))),
                ];
                return Run(
                    context,
                    new Request
                    {
                        Image = parsed.GetValue(image)!,
                        Prompt = parsed.GetValue(prompt)!,
                        To = parsed.GetValue(to),
                        Choices = choices,
                        Editors = chosen,
                        Steps = parsed.GetValue(steps),
                        Guidance = parsed.GetValue(guidance),
                        Size = SharedOptions.ReadSize(parsed, size),
                        Folder = parsed.GetValue(folder) ?? Path.Combine("runs", "compare-" + Path.GetFileNameWithoutExtension(parsed.GetValue(image)!)),
                        Model = model.Read(parsed),
                    }
                );
            }
        );
        return command.WithExamples(
            "nulltext compare photo.png --prompt \"a cat on a meadow\" --to \"a dog on a meadow\"",
            "nulltext compare photo.png --prompt \"a cat\" --methods null-text,null-text@fixed-point --steps 20",
            "nulltext compare photo.png --prompt \"a cat\" --to \"a dog\" --methods direct,edict --editors prompt-to-prompt,masactrl"
        );
    }

    private static MethodChoice Chosen(string name, MethodRequest request)
    {
        MethodChoice choice = SharedOptions.Named("--methods", () => MethodChoice.Parse(name, request));
        return choice.Refusal is { } reason ? throw new UsageException($"--methods: {reason}") : choice;
    }

    private static int Run(RunContext context, Request request)
    {
        RgbImage picture = ImageFile.Load(request.Image);
        ModelSource found = request.Model.Find(context);
        PixelSize whole = PixelSize.Of(picture);
        using OutputLock alone = OutputLock.OnFolder(request.Folder);
        MemoryDemand demand = new()
        {
            ImageSize = SharedOptions.SizeFor(request.Size, whole, found.Sizes),
            Rows = 4,
            GradientRows = request.Choices.Any(c => c.Method.Optimises) ? 1 : 0,
            ExplicitAttention = request.Editors.Count > 0,
        };
        using StableDiffusion model = request.Model.Load(context, found, demand);
        RgbImage source = (new ImagePreparation() with { Size = SharedOptions.SizeFor(request.Size, whole, model.Sizes) }).Apply(picture);
        SharedOptions.RequirePrompts(context, model, [request.Prompt, .. request.To is { } to ? [to] : Array.Empty<string>()]);
        context.Kept = $"finished work is kept in {request.Folder}: the same command resumes from there.";
        List<ComparedMethod> rows = [];
        List<InversionManifest> manifests = [];
        foreach (MethodChoice choice in request.Choices)
        {
            RunFolder folder = new(Path.Combine(request.Folder, choice.Name.Replace('@', '-')));
            InversionRun run = new()
            {
                Model = request.Model,
                Found = found,
                Network = model,
                ImageName = request.Image,
                Source = source,
                Prompt = request.Prompt,
                Inversion = choice.Inversion,
                Steps = request.Steps,
                Guidance = request.Guidance,
                Folder = folder,
                FolderName = request.Folder,
                Restart = false,
            };
            (InversionManifest manifest, bool wasComplete) = run.Make(context);
            string time = wasComplete ? "from an earlier run" : string.Create(CultureInfo.InvariantCulture, $"{manifest.Seconds:0.0} s");
            context.Out.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{choice.Name, -24}{PictureMeasures.Decibels(manifest.Psnr)}, {manifest.Evaluations:0} evaluations, {time}"
                )
            );
            manifests.Add(manifest);
            ComparedInversion inverted = new(
                ImageFile.Load(folder.VaePath),
                ImageFile.Load(folder.ReconstructionPath),
                manifest.Evaluations,
                manifest.Backwards,
                manifest.Seconds
            );
            rows.Add(
                new ComparedMethod(
                    choice.Name,
                    Attempt<ComparedInversion>.Of(inverted),
                    [.. request.Editors.Select(editor => Edit(context, request, model, folder, manifest, editor))]
                )
            );
        }

        Write(context, request, source, rows, manifests);
        return CommandRunner.Done;
    }

    private static Attempt<ComparedEdit> Edit(
        RunContext context,
        Request request,
        StableDiffusion model,
        RunFolder folder,
        InversionManifest manifest,
        EditorMethod editor
    )
    {
        string key = RunFolder.Key(
            ImageFile.Load(folder.SourcePath),
            request.To!,
            manifest.Key,
            editor.Id,
            request.Steps,
            request.Guidance,
            editor.Default,
            Precision.NameOf(model.Dtype)
        );
        string picture = Path.Combine(folder.Path, $"edit-{editor.Id}.png"),
            facts = Path.ChangeExtension(picture, ".json");
        if (File.Exists(picture) && File.Exists(facts) && JsonSerializer.Deserialize<EditFacts>(File.ReadAllText(facts)) is { } known && known.Key == key)
            return Attempt<ComparedEdit>.Of(new ComparedEdit(ImageFile.Load(picture), known.Evaluations, known.Backwards, known.Seconds));
        using DisposeScope scope = NewDisposeScope();
        using InversionResult inversion = folder.Load(model.Device);
        Attempt<ComparedEdit> made = context.Track(progress =>
            MethodTable.Edit(
                model,
                inversion,
                request.Steps,
                request.Prompt,
                request.To!,
                editor,
                new RunControl { Progress = progress, Cancellation = context.Cancel }
            )
        );
        if (made.Result is { } edited)
        {
            // The facts are written last: once they exist, the picture counts as done.
            File.Delete(facts);
            ImageFile.SavePng(edited.Picture, picture);
            File.WriteAllText(facts, JsonSerializer.Serialize(new EditFacts(key, edited.Evaluations, edited.Backwards, edited.Seconds)));
        }
        else
            context.Error.WriteLine($"note: {manifest.Method} with {editor.Id}: {made.Reason}");
        return made;
    }

    private static void Write(
        RunContext context,
        Request request,
        RgbImage source,
        IReadOnlyList<ComparedMethod> rows,
        IReadOnlyList<InversionManifest> manifests
    )
    {
        MethodTable compared = new()
        {
            Source = source,
            Prompt = request.Prompt,
            Target = request.To,
            Editors = [.. request.Editors.Select(e => e.Id)],
            Methods = rows,
        };
        string pictures = Path.Combine(request.Folder, "grid.png");
        WholeFile.Write(pictures, compared.Grid().ToPng());
        TableData table = compared.Table();
        string numbers = Path.Combine(request.Folder, "table.csv");
        WholeFile.Write(numbers, System.Text.Encoding.UTF8.GetBytes(table.ToCsv()));
        WholeFile.Write(Path.ChangeExtension(numbers, ".md"), System.Text.Encoding.UTF8.GetBytes(table.ToMarkdown()));
        WholeFile.Write(
            Path.Combine(request.Folder, "comparison.json"),
            JsonSerializer.SerializeToUtf8Bytes(
                new
                {
                    request.Image,
                    request.Prompt,
                    request.To,
                    Methods = rows.Zip(
                        manifests,
                        (row, manifest) =>
                            new
                            {
                                Method = row.Name,
                                manifest.Options,
                                manifest.Key,
                            }
                    ),
                    Editors = request.Editors.Select(e => RunFolder.ToJson(e.Default)),
                    request.Steps,
                    request.Guidance,
                    manifests[0].Model,
                    manifests[0].ModelIdentity,
                    context.Threads,
                    Finished = DateTimeOffset.UtcNow,
                },
                new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase }
            )
        );
        context.Out.WriteLine($"  pictures    {pictures}");
        context.Out.WriteLine($"  numbers     {numbers}");
    }

    private sealed record EditFacts(string Key, long Evaluations, long Backwards, double Seconds);

    private sealed record Request
    {
        public required string Image { get; init; }

        public required string Prompt { get; init; }

        public required string? To { get; init; }

        public required IReadOnlyList<MethodChoice> Choices { get; init; }

        public required IReadOnlyList<EditorMethod> Editors { get; init; }

        public required int Steps { get; init; }

        public required double Guidance { get; init; }

        public required ImageSizing Size { get; init; }

        public required string Folder { get; init; }

        public required ModelRequest Model { get; init; }
    }
}
