using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// A study as its JSON file describes it: data x models x methods (x paths) x editors x settings, and the metrics of the edited pictures. Every combination
/// is a unit.
/// </summary>
public sealed partial record StudyPlan
{
    private const int MostBytes = 16 << 20;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Name of the study, for tables and jobs: letters, digits, '-' and '_' (default "study").</summary>
    public string Name { get; init; } = "study";

    /// <summary>At least one data set or list of pictures.</summary>
    public required IReadOnlyList<StudyData> Data { get; init; }

    /// <summary>At least one model (default: sd-mini).</summary>
    public IReadOnlyList<StudyModelChoice> Models { get; init; } = [new StudyModelChoice { Model = "sd-mini" }];

    /// <summary>At least one inversion method, each as METHOD or METHOD@PATH.</summary>
    public required IReadOnlyList<string> Methods { get; init; }

    /// <summary>Paths with which every method without an @ is combined; empty (default) for each method's own.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>At least one editor; a text is an editor with its default options.</summary>
    public required IReadOnlyList<StudyEditorChoice> Editors { get; init; }

    /// <summary>At least one metric of the edited pictures, by its id. Others can be added later: they are computed from the stored pictures.</summary>
    public required IReadOnlyList<string> Metrics { get; init; }

    /// <summary>T (default 50).</summary>
    public IReadOnlyList<int> Steps { get; init; } = [50];

    /// <summary>N, for methods that optimise (default 10).</summary>
    public IReadOnlyList<int> InnerSteps { get; init; } = [10];

    /// <summary>w (default 7.5).</summary>
    public IReadOnlyList<double> Guidance { get; init; } = [7.5];

    /// <summary>Seeds, for methods and paths that draw noise (default 0).</summary>
    public IReadOnlyList<long> Seeds { get; init; } = [0];

    /// <summary>Size of the pictures, as <see cref="ImageSizing.TryParse"/> reads it (default "own").</summary>
    public string Size { get; init; } = "own";

    /// <summary>How masked metrics count pixels (default: corrected).</summary>
    public MaskedMode Mode { get; init; } = MaskedMode.Corrected;

    /// <summary>Folder of published weights for metrics by networks; null if no metric needs any.</summary>
    public string? Weights { get; init; }

    /// <summary>Folder from which relative paths start: that of the study's file. Not written.</summary>
    public string Folder { get; init; } = "";

    /// <summary>The methods, combined with <see cref="Paths"/>.</summary>
    public IReadOnlyList<string> MethodNames =>
        [.. Methods.SelectMany(m => Paths.Count == 0 || m.Contains('@', StringComparison.Ordinal) ? [m] : Paths.Select(p => $"{m}@{p}"))];

    /// <summary>Reads a study's file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="datasets">Data sets that it may name; null for those of this library.</param>
    /// <exception cref="StudyException">It is not a study: every mistake is named with its place in the file and what is allowed there.</exception>
    /// <exception cref="UnreadableFileException">The file is missing or cannot be read.</exception>
    public static StudyPlan Read(string path, EditDatasets? datasets = null)
    {
        try
        {
            return Of(StrictJson.ReadFile(path, MostBytes), path, Path.GetDirectoryName(Path.GetFullPath(path))!, datasets);
        }
        catch (JsonException e)
        {
            throw new StudyException($"{path} is not JSON: {e.Message}.", e);
        }
    }

    /// <summary>Parses a study.</summary>
    /// <param name="json">Its JSON text, UTF-8.</param>
    /// <param name="folder">Folder from which its relative paths start.</param>
    /// <param name="datasets">Data sets that it may name; null for those of this library.</param>
    /// <exception cref="StudyException">As for <see cref="Read"/>.</exception>
    public static StudyPlan Parse(ReadOnlySpan<byte> json, string folder, EditDatasets? datasets = null)
    {
        try
        {
            return Of(StrictJson.Parse(json), "the text", folder, datasets);
        }
        catch (JsonException e)
        {
            throw new StudyException($"the text is not JSON: {e.Message}.", e);
        }
    }

    /// <summary>The study as <see cref="Parse"/> reads it; defaults are written out.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            new
            {
                Name,
                Data = Data.Select(d => new
                {
                    d.Dataset,
                    d.Count,
                    d.Folder,
                    Images = d.Images.Count == 0
                        ? null
                        : d.Images.Select(i => new
                        {
                            i.Image,
                            i.Prompt,
                            i.To,
                            i.Id,
                            i.Kind,
                            Blend = Filled(i.Blend),
                            Weights = i.Weights.Count == 0 ? null : i.Weights,
                            i.Mask,
                            i.Truth,
                        }),
                }),
                Models,
                Methods,
                Paths = Filled(Paths),
                Editors = Editors.Select(Written),
                Metrics,
                Steps,
                Inner = InnerSteps,
                Guidance,
                Seeds,
                Size,
                Masks = Mode == MaskedMode.PieOfficial ? "pie-official" : "corrected",
                Weights,
            },
            Json
        ) + "\n";

    /// <summary>A path of the study as a full path.</summary>
    internal string At(string path) => Path.GetFullPath(path, Folder.Length == 0 ? Directory.GetCurrentDirectory() : Path.GetFullPath(Folder));

    private static JsonNode Written(StudyEditorChoice editor)
    {
        if (editor.Name is null && editor.Options.Count == 0)
            return editor.Editor;
        JsonObject written = new() { ["editor"] = editor.Editor };
        if (editor.Name is { } name)
            written["name"] = name;
        foreach ((string option, string value) in editor.Options)
            written[option] = value;
        return written;
    }

    private static IReadOnlyList<string>? Filled(IReadOnlyList<string> list) => list.Count == 0 ? null : list;

    private static StudyPlan Of(JsonElement root, string name, string folder, EditDatasets? datasets)
    {
        List<string> problems = [];
        StudyObject study = new(
            root,
            "$",
            problems,
            "name",
            "data",
            "models",
            "methods",
            "paths",
            "editors",
            "metrics",
            "steps",
            "inner",
            "guidance",
            "seeds",
            "size",
            "masks",
            "weights"
        );
        StudyPlan plan = new()
        {
            Name = study.Text("name", problem: t => PlainName().IsMatch(t) ? null : "a name has letters, digits, '-' and '_' only") ?? "study",
            Data =
            [
                .. study
                    .Items("data", "a list of data sets ({\"dataset\": ...}) or of pictures ({\"images\": [...]})")
                    .Select(d => ReadData(d.Value, d.Path, problems, datasets ?? EditDatasets.Shipped)),
            ],
            Methods = study.Texts("methods", required: true, m => Problem(() => MethodChoice.Parse(m))),
            Paths = study.Texts("paths", problem: p => Problem(() => PathCatalogue.Find(p))),
            Editors = [.. study.Items("editors", "a list of editors", JsonValueKind.String).Select(e => ReadEditor(e.Value, e.Path, problems))],
            Metrics = study.Texts("metrics", required: true, m => Problem(() => MetricCatalogue.Find(m))),
            Steps = study.Numbers("steps", [50], 1, 999, "whole numbers"),
            InnerSteps = study.Numbers("inner", [10], 0, 100_000, "whole numbers"),
            Guidance = study.Numbers("guidance", [7.5], 0.0, 100.0, "numbers"),
            Seeds = study.Numbers("seeds", [0L], 0L, long.MaxValue, "whole numbers"),
            Size =
                study.Text(
                    "size",
                    problem: t => ImageSizing.TryParse(t, out _) ? null : $"'{Excerpt.Of(t)}' is no size; expected 640x448, 512, own, keep or as-is"
                ) ?? "own",
            Mode = study.Text("masks", problem: t => OneOf(t, "corrected", "pie-official")) == "pie-official" ? MaskedMode.PieOfficial : MaskedMode.Corrected,
            Weights = study.Text("weights"),
            Folder = folder,
        };
        if (study.Has("models"))
        {
            plan = plan with { Models = [.. study.Items("models", null, JsonValueKind.String).Select(m => ReadModel(m.Value, m.Path, problems))] };
        }
        foreach (
            (string member, IEnumerable<string> labels) in ((string, IEnumerable<string>)[])
                [("models", plan.Models.Select(m => m.Label)), ("editors", plan.Editors.Select(e => e.Label))]
        )
        {
            foreach (IGrouping<string, string> twice in labels.GroupBy(l => l).Where(g => g.Count() > 1))
                study.Add(study.PathOf(member), $"two are called '{Excerpt.Of(twice.Key)}' in tables; give them different names (\"name\")");
        }
        if (plan.Weights is null && plan.Metrics.FirstOrDefault(id => MetricCatalogue.All.FirstOrDefault(m => m.Id == id)?.Network is not null) is { } needy)
            study.Add(
                study.PathOf("metrics"),
                $"{needy} needs published weights: name their folder in \"weights\" (with lpips/, clip/ or dino/), or leave the metric out"
            );
        return problems.Count == 0 ? plan : throw new StudyException($"{name} is not a study that can be run. {string.Join("; ", problems)}");
    }

    private static StudyModelChoice ReadModel(JsonElement value, string path, List<string> problems)
    {
        if (value.ValueKind == JsonValueKind.String)
            return new StudyModelChoice { Model = value.GetString()! };
        StudyObject model = new(
            value,
            path,
            problems,
            "model",
            "name",
            "precision",
            "vaePrecision",
            "variant",
            "prediction",
            "tokenizer",
            "checkpointing",
            "sequential",
            "offload",
            "vaeTile"
        );
        return new StudyModelChoice
        {
            Model = model.Text("model", required: true) ?? "",
            Name = model.Text("name"),
            Precision = model.Text("precision", problem: t => OneOf(t, [.. Precision.Names])),
            VaePrecision = model.Text("vaePrecision", problem: t => OneOf(t, [.. Precision.Names])),
            Variant = model.Text("variant"),
            Prediction = model.Text("prediction", problem: t => OneOf(t, "epsilon", "v")),
            Tokenizer = model.Text("tokenizer"),
            Checkpointing = model.Flag("checkpointing"),
            Sequential = model.Flag("sequential"),
            Offload = model.Flag("offload"),
            VaeTile = model.Whole("vaeTile", 8, 1024),
        };
    }

    private static StudyEditorChoice ReadEditor(JsonElement value, string path, List<string> problems)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            if (Problem(() => EditorCatalogue.Find(value.GetString()!)) is { } wrong)
                problems.Add($"{path}: {wrong}");
            return value.GetString()!;
        }
        string? id = value.ValueKind == JsonValueKind.Object && value.TryGetProperty("editor", out JsonElement named) ? named.ToString() : null;
        EditorMethod? method = EditorCatalogue.All.FirstOrDefault(e => e.Id == id);
        // Without an editor nobody knows which options it has: that it is missing is mistake enough.
        IReadOnlyList<string> options =
            method is not null ? StudyEditorChoice.NamesOf(method)
            : value.ValueKind == JsonValueKind.Object ? [.. value.EnumerateObject().Select(m => m.Name).Except(["editor", "name"])]
            : [];
        StudyObject editor = new(value, path, problems, ["editor", "name", .. options]);
        StudyEditorChoice choice = new()
        {
            Editor = editor.Text("editor", required: true, e => Problem(() => EditorCatalogue.Find(e))) ?? "",
            Name = editor.Text("name", problem: t => PlainName().IsMatch(t) ? null : "a name has letters, digits, '-' and '_' only"),
            Options = options.Where(editor.Has).ToDictionary(o => o, o => editor.Plain(o)),
        };
        if (method is null)
            return choice;
        foreach ((string option, string text) in choice.Options)
        {
            if (Problem(() => (choice with { Options = new Dictionary<string, string> { [option] = text } }).Resolve()) is { } wrong)
                editor.Add(editor.PathOf(option), wrong);
        }
        return choice;
    }

    private static StudyData ReadData(JsonElement value, string path, List<string> problems, EditDatasets datasets)
    {
        StudyObject data = new(value, path, problems, "dataset", "count", "folder", "images");
        if (data.IsObject && data.Has("dataset") == data.Has("images"))
            data.Add(path, "give either \"dataset\", the name of a data set, or \"images\", a list of pictures");
        foreach (string name in ((string[])["count", "folder"]).Where(n => data.Has("images") && data.Has(n)))
            data.Add(data.PathOf(name), "this is for data sets by name, not for lists of pictures");
        string? id = data.Text("dataset", problem: d => Problem(() => datasets.Find(d)));
        string? folder = data.Text("folder");
        EditDatasetSource? source = datasets.All.FirstOrDefault(d => d.Id == id);
        if (source is { NeedsFolder: true } && folder is null)
            data.Add(path, $"the data set '{source.Id}' is read from files: name their folder in \"folder\"");
        if (source is { NeedsFolder: false } && folder is not null)
            data.Add(data.PathOf("folder"), $"the data set '{source.Id}' needs no files; leave the folder out");
        return new StudyData
        {
            Dataset = id,
            Count = data.Whole("count", 1, int.MaxValue),
            Folder = folder,
            Images = data.Has("images") ? [.. data.Items("images", null).Select(i => ReadImage(i.Value, i.Path, problems))] : [],
        };
    }

    private static StudyImage ReadImage(JsonElement value, string path, List<string> problems)
    {
        StudyObject image = new(value, path, problems, "image", "prompt", "to", "id", "kind", "blend", "weights", "mask", "truth");
        return new StudyImage
        {
            Image = image.Text("image", required: true) ?? "",
            Prompt = image.Text("prompt", required: true) ?? "",
            To = image.Text("to", required: true) ?? "",
            Id = image.Text("id", problem: t => PlainName().IsMatch(t) ? null : "an id has letters, digits, '-' and '_' only: files are named after it"),
            Kind = image.Text("kind") ?? "edit",
            Blend = image.Texts("blend"),
            Weights = image.Factors("weights"),
            Mask = image.Text("mask"),
            Truth = image.Text("truth"),
        };
    }

    private static string? OneOf(string text, params IReadOnlyList<string> allowed) =>
        allowed.Contains(text) ? null : $"'{Excerpt.Of(text)}' must be one of: {string.Join(", ", allowed)}";

    /// <summary>What the catalogue says of an id that it does not have.</summary>
    private static string? Problem(Action find)
    {
        try
        {
            find();
            return null;
        }
        catch (ArgumentException e)
        {
            return Excerpt.WithoutParameter(e).TrimEnd('.');
        }
    }

    [GeneratedRegex("^[A-Za-z0-9_-]{1,100}$")]
    private static partial Regex PlainName();
}
