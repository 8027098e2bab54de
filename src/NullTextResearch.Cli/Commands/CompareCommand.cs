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
using NullTextResearch.Metrics;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext compare`: one picture, several methods and editors, a grid with numbers.</summary>
internal static class CompareCommand
{
    private static readonly string[] Columns =
    [
        "method",
        "editor",
        "PSNR of the reconstruction [dB]",
        "below the autoencoder [dB]",
        "PSNR of edit against source [dB]",
        "evaluations of the inversion",
        "with backward pass",
        "evaluations of the edit",
        "seconds of the inversion",
        "seconds of the edit",
    ];

    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "PNG, JPEG or WebP of any size.", HelpName = "IMAGE" };
        Option<string> prompt = new("--prompt") { Description = "What the image shows.", Required = true };
        Option<string?> to = new("--to") { Description = "What edited versions should show; leave it out to compare reconstructions alone." };
        Option<string> methods = new("--methods")
        {
            Description = "Methods, each with its path after @ where it is not DDIM inversion: null-text,null-text@fixed-point,edict ('nulltext methods').",
            DefaultValueFactory = _ => "ddim,npi,direct,null-text,edit-friendly,edict",
        };
        Option<string> editors = new("--editors")
        {
            Description = "Editors, with --to ('nulltext methods').",
            DefaultValueFactory = _ => EditorCatalogue.All[0].Id,
        };
        Option<int> steps = SharedOptions.Int("--steps", "DDIM steps.", 50, 1, 1000);
        Option<int> inner = SharedOptions.Int("--inner", "Optimisation steps per DDIM step.", 10, 0, 100_000);
        Option<double> guidance = SharedOptions.Number("--guidance", "Guidance scale w.", 7.5, 0, 100);
        Option<long> seed = new("--seed") { Description = "Seed of the methods that draw noise.", DefaultValueFactory = _ => 0 };
        Option<string> size = SharedOptions.Size("Size to resize to, in pixels:");
        Option<string?> folder = new("--out")
        {
            Description = "Folder (default: runs/compare- and the image's name); what it holds already is not computed again.",
        };
        ModelOptions model = new();
        Command command = new("compare", "Invert and edit one image by several methods, and put the pictures and numbers side by side.")
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
                result.AddError("--editors edit towards --to \"...\"; give that too, or leave them out.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                MethodRequest request = new() { InnerSteps = parsed.GetValue(inner), Seed = parsed.GetValue(seed) };
                Contender[] contenders = [.. Listed("--methods", parsed.GetValue(methods)!).Select(name => Contend(name, request))];
                EditorMethod[] chosen =
                [
                    .. parsed.GetValue(to) is null
                        ? []
                        : Listed("--editors", parsed.GetValue(editors)!).Select(id => Named("--editors", () => EditorCatalogue.Find(id))),
                ];
                return Run(
                    context,
                    new Request
                    {
                        Image = parsed.GetValue(image)!,
                        Prompt = parsed.GetValue(prompt)!,
                        To = parsed.GetValue(to),
                        Contenders = contenders,
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

    private static string[] Listed(string option, string text)
    {
        string[] names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0)
            throw new UsageException($"{option} names nothing; give ids with commas between them ('nulltext methods' lists them).");
        return names.Distinct().Count() == names.Length ? names : throw new UsageException($"{option} names something twice: {text}.");
    }

    private static Contender Contend(string name, MethodRequest request)
    {
        string[] parts = name.Split('@');
        if (parts.Length > 2)
            throw new UsageException($"--methods: '{name}' must be METHOD or METHOD@PATH.");
        InversionMethod method = Named("--methods", () => InversionCatalogue.Find(parts[0]));
        IInversion inversion = Named("--methods", () => InversionCatalogue.Create(parts[0], parts.Length == 2 ? parts[1] : null, request));
        return new Contender(name, inversion, method.Optimises);
    }

    private static T Named<T>(string option, Func<T> find)
    {
        try
        {
            return find();
        }
        catch (ArgumentException e)
        {
            // The name of a parameter means nothing on a command line.
            throw new UsageException($"{option}: {e.Message.Split(" (Parameter", 2)[0]}");
        }
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
            GradientRows = request.Contenders.Any(c => c.Optimises) ? 1 : 0,
            ExplicitAttention = request.Editors.Count > 0,
        };
        using StableDiffusion model = request.Model.Load(context, found, demand);
        RgbImage source = (new ImagePreparation() with { Size = SharedOptions.SizeFor(request.Size, whole, model.Sizes) }).Apply(picture);
        SharedOptions.RequirePrompts(context, model, [request.Prompt, .. request.To is { } to ? [to] : Array.Empty<string>()]);
        context.Kept = $"what was done is kept in {request.Folder}: the same command goes on from there.";
        List<Line> lines = [];
        foreach (Contender contender in request.Contenders)
        {
            RunFolder folder = new(Path.Combine(request.Folder, contender.Name.Replace('@', '-')));
            InversionRun run = new()
            {
                Model = request.Model,
                Found = found,
                Network = model,
                ImageName = request.Image,
                Source = source,
                Prompt = request.Prompt,
                Inversion = contender.Inversion,
                Steps = request.Steps,
                Guidance = request.Guidance,
                Folder = folder,
                FolderName = request.Folder,
                Restart = false,
            };
            (InversionManifest manifest, bool wasComplete) = run.Make(context);
            string took = wasComplete ? "kept from before" : string.Create(CultureInfo.InvariantCulture, $"{manifest.Seconds:0.0} s");
            context.Out.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{contender.Name, -24}{PictureMeasures.Decibels(manifest.Psnr)}, {manifest.Evaluations:0} evaluations, {took}"
                )
            );
            lines.Add(
                new Line(
                    contender.Name,
                    manifest,
                    ImageFile.Load(folder.VaePath),
                    ImageFile.Load(folder.ReconstructionPath),
                    Edits(context, request, model, folder, manifest)
                )
            );
        }

        Write(context, request, source, lines);
        return CommandRunner.Done;
    }

    private static List<Edited> Edits(RunContext context, Request request, StableDiffusion model, RunFolder folder, InversionManifest manifest)
    {
        List<Edited> edits = [];
        foreach (EditorMethod editor in request.Editors)
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
            {
                edits.Add(new Edited(editor.Id, ImageFile.Load(picture), known, null));
                continue;
            }
            using DisposeScope scope = NewDisposeScope();
            using InversionResult inversion = folder.Load(model.Device);
            try
            {
                EditOptions options = new() { Editor = editor.Default };
                using EditedPicture edited = context.Track(progress =>
                    model.Edit(
                        inversion,
                        request.Steps,
                        request.Prompt,
                        request.To!,
                        options,
                        new RunControl { Progress = progress, Cancellation = context.Cancel }
                    )
                );
                EditFacts done = new(key, edited.Result.Evaluations, edited.Result.Elapsed.TotalSeconds);
                // The facts last: with them the picture counts as done.
                File.Delete(facts);
                ImageFile.SavePng(edited.Image, picture);
                File.WriteAllText(facts, JsonSerializer.Serialize(done));
                edits.Add(new Edited(editor.Id, edited.Image, done, null));
            }
            catch (ArgumentException e)
            {
                // Some pairs do not go together; the others still do.
                context.Error.WriteLine($"note: {manifest.Method} with {editor.Id}: {e.Message}");
                edits.Add(new Edited(editor.Id, null, null, e.Message));
            }
        }

        return edits;
    }

    private static void Write(RunContext context, Request request, RgbImage source, List<Line> lines)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        double best = lines.Max(l => l.Manifest.Psnr);
        ImageGrid grid = new()
        {
            Title = request.To is null ? request.Prompt : $"{request.Prompt} → {request.To}",
            MinimumCellSize = 160,
            ColumnLabels = ["image", "autoencoder", "reconstruction", .. request.Editors.Select(e => e.Id)],
            RowLabels = [.. lines.Select(l => l.Method)],
            Rows =
            [
                .. lines.Select(l =>
                    (IReadOnlyList<GridCell?>)
                        [
                            new GridCell(source),
                            new GridCell(l.RoundTrip) { Label = PictureMeasures.Decibels(l.Manifest.VaePsnr) },
                            new GridCell(l.Reconstruction)
                            {
                                Label = PictureMeasures.Decibels(l.Manifest.Psnr),
                                Highlight = lines.Count > 1 && l.Manifest.Psnr >= best,
                            },
                            .. l.Edits.Select(e =>
                                e.Picture is null
                                    ? null
                                    : new GridCell(e.Picture) { Label = $"{PictureMeasures.Decibels(Psnr.Of(e.Picture, source))} to the image" }
                            ),
                        ]
                ),
            ],
        };
        string pictures = Path.Combine(request.Folder, "grid.png");
        WholeFile.Write(pictures, grid.ToPng());
        TableData table = new(
            "Comparison",
            Columns,
            [
                .. lines.SelectMany(l =>
                    l.Edits.DefaultIfEmpty(new Edited("", null, null, null))
                        .Select(e =>
                            (IReadOnlyList<string>)
                                [
                                    l.Method,
                                    e.Editor,
                                    l.Manifest.Psnr.ToString("0.00", culture),
                                    (l.Manifest.VaePsnr - l.Manifest.Psnr).ToString("0.00", culture),
                                    e.Picture is null
                                        ? e.Problem is null
                                            ? ""
                                            : "does not go together"
                                        : Psnr.Of(e.Picture, source).ToString("0.00", culture),
                                    l.Manifest.Evaluations.ToString("0", culture),
                                    l.Manifest.Backwards.ToString("0", culture),
                                    e.Facts?.Evaluations.ToString(culture) ?? "",
                                    l.Manifest.Seconds.ToString("0.0", culture),
                                    e.Facts?.Seconds.ToString("0.0", culture) ?? "",
                                ]
                        )
                ),
            ]
        );
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
                    Methods = lines.Select(l => new
                    {
                        l.Method,
                        Options = l.Manifest.Options,
                        l.Manifest.Key,
                    }),
                    Editors = request.Editors.Select(e => RunFolder.ToJson(e.Default)),
                    request.Steps,
                    request.Guidance,
                    lines[0].Manifest.Model,
                    lines[0].Manifest.ModelIdentity,
                    context.Threads,
                    Finished = DateTimeOffset.UtcNow,
                },
                new JsonSerializerOptions { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase }
            )
        );
        context.Out.WriteLine($"  pictures    {pictures}");
        context.Out.WriteLine($"  numbers     {numbers}");
    }

    private sealed record Contender(string Name, IInversion Inversion, bool Optimises);

    private sealed record EditFacts(string Key, long Evaluations, double Seconds);

    private sealed record Edited(string Editor, RgbImage? Picture, EditFacts? Facts, string? Problem);

    private sealed record Line(string Method, InversionManifest Manifest, RgbImage RoundTrip, RgbImage Reconstruction, IReadOnlyList<Edited> Edits);

    private sealed record Request
    {
        public required string Image { get; init; }

        public required string Prompt { get; init; }

        public required string? To { get; init; }

        public required IReadOnlyList<Contender> Contenders { get; init; }

        public required IReadOnlyList<EditorMethod> Editors { get; init; }

        public required int Steps { get; init; }

        public required double Guidance { get; init; }

        public required ImageSizing Size { get; init; }

        public required string Folder { get; init; }

        public required ModelRequest Model { get; init; }
    }
}
