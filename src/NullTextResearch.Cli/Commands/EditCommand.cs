using System.CommandLine;
using System.CommandLine.Completions;
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
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext edit`: edits the image of a run folder without inverting it again.</summary>
internal static class EditCommand
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static Command Create()
    {
        Argument<string> run = new("RUN") { Description = "Run folder made by 'nulltext invert'.", HelpName = "RUN" };
        run.CompletionSources.Add(_ =>
            Directory.Exists("runs")
                ? Directory.GetDirectories("runs").Where(f => File.Exists(Path.Combine(f, "manifest.json"))).Select(f => new CompletionItem(f))
                : []
        );
        Option<string?> to = new("--to") { Description = "What the edited image should show. Optional with --reweight, which then keeps the prompt." };
        Option<bool> swap = new("--swap") { Description = "Replace words one for one; both prompts must have the same number of words." };
        Option<bool> refine = new("--refine")
        {
            Description = "Add or remove words; the others keep their place. Without --swap or --refine, the word counts decide.",
        };
        Option<string[]> reweight = new("--reweight")
        {
            Description = "Strengthen or weaken words of the target prompt: word=2 word=-1 ...",
            AllowMultipleArgumentsPerToken = true,
        };
        Option<string?> blend = new("--blend")
        {
            Description = "Change only the region of these words: word[,word...], from either prompt. In a swap, a word's counterpart is included.",
        };
        Option<double> cross = SharedOptions.Number("--cross", "Fraction of the steps in which the source's cross-attention is injected, 0 to 1.", 0.8, 0, 1);
        Option<double> self = SharedOptions.Number("--self", "Fraction of the steps in which the source's self-attention is injected, 0 to 1.", 0.4, 0, 1);
        Option<double?> guidance = SharedOptions.OptionalNumber(
            "--guidance",
            "Guidance scale (default: the inversion's, for which its null texts were computed).",
            0,
            100
        );
        Option<string> editor = SharedOptions.Choice(
            "--editor",
            "Editing method ('nulltext methods' explains them).",
            EditorCatalogue.All[0].Id,
            [.. EditorCatalogue.All.Select(e => e.Id)]
        );
        Option<string[]> set = OptionSetting.Create("editor");
        ModelOptions model = new("Model folder or file, or owner/name of a pulled model, if it has moved since the inversion.");
        Command command = new("edit", "Edit an inverted image by prompt, as often as you like, without inverting again.")
        {
            run,
            to,
            editor,
            swap,
            refine,
            reweight,
            blend,
            cross,
            self,
            guidance,
            set,
        };
        model.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(swap) && result.GetValue(refine))
                result.AddError("--swap and --refine exclude each other; give one, or neither to let the word counts decide.");
            if (result.GetValue(to) is null && result.GetValue(reweight) is not { Length: > 0 })
                result.AddError("give --to \"...\", or --reweight word=2, or both.");
            foreach (string factor in result.GetValue(reweight) ?? [])
            {
                if (!TryFactor(factor, out _))
                    result.AddError($"--reweight takes word=number, such as snow=2; got '{factor}'.");
            }
        });
        command.Validators.Add(result =>
        {
            if (result.GetValue(editor) is null or PromptToPromptOptions.EditorId)
                return;
            foreach (Option option in (Option[])[swap, refine, reweight, blend, cross, self])
            {
                if (result.GetResult(option) is { Implicit: false })
                    result.AddError($"{option.Name} is for --editor {PromptToPromptOptions.EditorId}; leave it out for {result.GetValue(editor)}.");
            }
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
                Run(
                    context,
                    new Request
                    {
                        Editor = OptionSetting.Checked(() =>
                            NamedOptions.With(EditorCatalogue.Find(parsed.GetValue(editor)!).Default, OptionSetting.Read(parsed, set))
                        ),
                        Folder = parsed.GetValue(run)!,
                        To = parsed.GetValue(to),
                        Kind =
                            parsed.GetValue(swap) ? new WordSwap()
                            : parsed.GetValue(refine) ? new Refinement()
                            : null,
                        Factors =
                        [
                            .. (parsed.GetValue(reweight) ?? []).Select(f =>
                                TryFactor(f, out WordFactor? factor) ? factor! : throw new UsageException($"--reweight: '{f}'")
                            ),
                        ],
                        Blend = parsed.GetValue(blend),
                        Cross = parsed.GetValue(cross),
                        Self = parsed.GetValue(self),
                        Guidance = parsed.GetValue(guidance),
                        Model = model.Read(parsed),
                    }
                )
        );
        return command.WithExamples(
            "nulltext edit runs/photo --to \"a dog on a meadow\" --blend cat",
            "nulltext edit runs/photo --to \"a cat on a snowy meadow\" --refine",
            "nulltext edit runs/photo --reweight cat=2 meadow=-1",
            "nulltext edit runs/photo --to \"a dog on a meadow\" --editor masactrl --set from-block=0.5"
        );
    }

    private static int Run(RunContext context, Request request)
    {
        RunFolder folder = new(request.Folder);
        InversionManifest manifest = folder.ReadManifest();
        folder.RequireWritableEdits();
        // Options that are not given default to those of the inversion.
        ModelRequest wanted = request.Model with
        {
            Name = request.Model.Name ?? manifest.ModelFolder,
            Variant = request.Model.Variant ?? manifest.ModelVariant,
            Prediction = request.Model.Prediction ?? manifest.ModelPrediction,
            Tokenizer = request.Model.Tokenizer ?? manifest.ModelTokenizer,
            Precision = request.Model.Precision ?? manifest.ModelPrecision,
            VaePrecision = request.Model.VaePrecision ?? manifest.ModelVaePrecision,
            Memory = request.Model.Memory == new MemoryOptions() ? manifest.ModelMemory ?? new MemoryOptions() : request.Model.Memory,
        };
        ModelSource found = wanted.Find(context);
        if (RunFolder.ModelIdentity(found) is { } identity && identity != manifest.ModelIdentity)
            throw new CommandException(
                $"the image was inverted with a different model than {found.Path} (or a different --variant or --prediction; identity "
                    + $"{manifest.ModelIdentity}, here {identity}): edits would not match. Name the right one with --model, or invert again."
            );
        using StableDiffusion model = wanted.Load(
            context,
            found,
            new MemoryDemand
            {
                ImageSize = manifest.ImageSize,
                Rows = 4,
                ExplicitAttention = true,
            }
        );
        if (request.To is { } to)
            SharedOptions.RequirePrompts(context, model, to);
        string wish = request.To ?? manifest.Prompt;
        EditOptions options = Options(model.Tokenizer, manifest.Prompt, wish, request);
        try
        {
            // Checked here, before the network runs, so that the error names the prompts and not a tensor.
            _ = options.Target(model.Tokenizer, manifest.Prompt, wish);
        }
        catch (ArgumentException e) when (e is WordNotInPromptException or WordCountMismatchException)
        {
            throw new UsageException(e.Message);
        }

        using DisposeScope scope = NewDisposeScope();
        using InversionResult inversion = folder.Load(model.Device);
        // Read before the work, so that a damaged file does not cost an edit.
        RgbImage source = ImageFile.Load(folder.SourcePath),
            reconstruction = ImageFile.Load(folder.ReconstructionPath);
        context.Kept = $"{request.Folder} and its earlier edits are unchanged.";
        using EditedPicture picture = context.Track(progress =>
            model.Edit(inversion, manifest.Steps, manifest.Prompt, wish, options, new RunControl { Progress = progress, Cancellation = context.Cancel })
        );
        EditResult result = picture.Result;
        EditTarget target = result.Edits[0].Targets[0];
        RgbImage edited = picture.Image;
        bool isPromptToPrompt = request.Editor is PromptToPromptOptions;
        string written = folder.AddEdit(into =>
        {
            ImageFile.SavePng(edited, Path.Combine(into, "edit.png"));
            ImageGrid strip = ImageGrid.FilmStrip(
                [source, reconstruction, edited],
                ["source", $"reconstruction: {manifest.Prompt}", $"edit: {target.Prompt.Prompt}"]
            );
            File.WriteAllBytes(Path.Combine(into, "strip.png"), strip.ToPng());
            File.WriteAllText(
                Path.Combine(into, "edit.json"),
                JsonSerializer.Serialize(
                    new
                    {
                        Source = manifest.Prompt,
                        Target = target.Prompt.Prompt,
                        Editor = RunFolder.ToJson(request.Editor),
                        Edit = isPromptToPrompt ? target.Edit : null,
                        CrossReplace = isPromptToPrompt ? target.CrossReplace : null,
                        SelfReplace = isPromptToPrompt ? target.SelfReplace : (StepWindow?)null,
                        target.Blend,
                        GuidanceScale = request.Guidance ?? manifest.GuidanceScale,
                        InversionKey = manifest.Key,
                        Precision = Precision.NameOf(model.Dtype),
                        result.Evaluations,
                        Seconds = result.Elapsed.TotalSeconds,
                        context.Threads,
                    },
                    Json
                )
            );
        });
        context.Out.WriteLine($"\"{manifest.Prompt}\" -> \"{target.Prompt.Prompt}\": {(isPromptToPrompt ? Name(target.Edit) : request.Editor.Id)}");
        context.Out.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"  cost        {result.Evaluations} network evaluations, {result.Elapsed.TotalSeconds:0.0} s")
        );
        context.Out.WriteLine($"  change      {PictureMeasures.Decibels(Psnr.Of(edited, reconstruction))} PSNR against the reconstruction");
        context.Out.WriteLine($"  picture     {Path.Combine(written, "edit.png")}");
        context.Out.WriteLine($"  strip       {Path.Combine(written, "strip.png")}");
        return CommandRunner.Done;
    }

    private static EditOptions Options(ITextTokenizer tokenizer, string source, string target, Request request) =>
        new()
        {
            Editor = request.Editor,
            Kind = request.Kind,
            // For a word given twice, the last factor counts.
            Weights = request.Factors.GroupBy(f => f.Word).ToDictionary(g => g.Key, g => g.Last().Factor),
            CrossReplace = request.Cross,
            SelfReplace = request.Self,
            Blend = request.Blend is { } list ? LocalBlend.Words(tokenizer.Tokenize(source).EnsureFits(), tokenizer.Tokenize(target).EnsureFits(), list) : [],
            GuidanceScale = request.Guidance,
        };

    private static string Name(PromptEdit edit) =>
        edit switch
        {
            WordSwap => "word swap",
            Refinement => "refinement",
            ReWeight { After: { } after } r => $"{Name(after)}, then {Name(r with { After = null })}",
            ReWeight r => "re-weighting of " + string.Join(", ", r.Factors.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Word} x {f.Factor}"))),
            _ => edit.GetType().Name,
        };

    private static bool TryFactor(string text, out WordFactor? factor)
    {
        int at = text.LastIndexOf('=');
        factor =
            at > 0 && double.TryParse(text[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)
                ? new WordFactor(text[..at], value)
                : null;
        return factor is not null;
    }

    private sealed record Request
    {
        public required string Folder { get; init; }

        public required string? To { get; init; }

        public required EditorOptions Editor { get; init; }

        public required PromptEdit? Kind { get; init; }

        public required IReadOnlyList<WordFactor> Factors { get; init; }

        public required string? Blend { get; init; }

        public required double Cross { get; init; }

        public required double Self { get; init; }

        public required double? Guidance { get; init; }

        public required ModelRequest Model { get; init; }
    }
}
