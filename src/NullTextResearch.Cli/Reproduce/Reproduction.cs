using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Figures.Paper;
using TorchSharp;

namespace NullTextResearch.Cli.Reproduce;

/// <summary>What to reproduce, and the command that was given.</summary>
internal sealed record ReproductionPlan
{
    public required IReadOnlyList<PaperFigure> Figures { get; init; }

    /// <summary>Folder for everything that is written.</summary>
    public required string Folder { get; init; }

    /// <summary>The options that repeat this run, without --figures and --out.</summary>
    public required string CommandOptions { get; init; }

    /// <summary>Where the images came from, in words.</summary>
    public required string ImageSource { get; init; }

    public required int Threads { get; init; }
}

/// <summary>Makes figures and writes them: CSV, pictures, a page and a manifest each, and index.html.</summary>
internal sealed class Reproduction(StableDiffusion model, ExperimentLab lab, ReproductionPlan plan)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<(ChartBundle Chart, string Path)> _photographs = [];
    private double _doneWork;
    private double _totalWork;

    /// <summary>Makes and writes all figures of the plan.</summary>
    /// <param name="progress">Receives the fraction of the work done; null: no progress is reported.</param>
    /// <param name="log">One line per figure.</param>
    /// <returns>Path of index.html.</returns>
    public string Run(IProgress<WorkProgress>? progress, Action<string> log)
    {
        Stopwatch clock = Stopwatch.StartNew();
        List<FigureSection> sections = [];
        Each(progress, figure => sections.Add(Write(figure, log)));
        Photograph(log);
        Report report = new()
        {
            Title = "Null-text inversion: the paper's experiments",
            Introduction =
                "Figures of Mokady et al., Null-text Inversion for Editing Real Images using Guided Diffusion Models (CVPR 2023), reproduced by this "
                + "program. Every figure says what the paper found and what this run found; numbers of a small model on small images are not those of "
                + "Stable Diffusion on photographs: only order and shape can be compared. A claim counts as reproduced where the 95 % interval of the "
                + "paired difference excludes chance.",
            Facts =
            [
                new("Model", $"{model.Name}, {model.ImageSize} px"),
                new("Images", $"{lab.Images.Count} ({plan.ImageSource})"),
                new("T and N", $"{lab.Settings.Steps} steps; {string.Join(", ", lab.Settings.InnerSteps)} inner iterations"),
                new("Guidance", string.Create(CultureInfo.InvariantCulture, $"{lab.Settings.GuidanceScale} (edits {lab.Settings.EditGuidanceScale})")),
                new("Device", $"{model.Device}, {plan.Threads} thread{(plan.Threads == 1 ? "" : "s")}"),
                new("Time of this run", Duration(clock.Elapsed)),
                new("UNet evaluations", lab.Evaluations.ToString("N0", CultureInfo.InvariantCulture)),
                new("Results", Results(lab.Cache)),
            ],
            Sections = sections,
        };
        TableData claims = Claim.Table(sections.SelectMany(s => s.Claims.Select(c => (s.Title.Split(':')[0], c))));
        if (claims.Rows.Count > 0)
        {
            WholeFile.Write(Path.Combine(plan.Folder, "claims.csv"), Encoding.UTF8.GetBytes(claims.ToCsv()));
            WholeFile.Write(Path.Combine(plan.Folder, "claims.md"), Encoding.UTF8.GetBytes(claims.ToMarkdown()));
        }

        string index = Path.Combine(plan.Folder, "index.html");
        report.Write(index);
        return index;
    }

    /// <summary>Computes the results of all figures and writes none of them: what a shard does.</summary>
    /// <param name="progress">As for <see cref="Run"/>.</param>
    /// <returns>Null: there is no page.</returns>
    public string? Compute(IProgress<WorkProgress>? progress)
    {
        // Making a figure asks the lab for everything that it shows; of a part of the images, the figure itself is of no use.
        Each(progress, figure => figure.Make(lab));
        return null;
    }

    private void Each(IProgress<WorkProgress>? progress, Action<PaperFigure> make)
    {
        HashSet<string> done = [];
        _totalWork = lab.Images.Count * plan.Figures.SelectMany(f => f.Work(lab.Settings)).DistinctBy(w => w.Name).Sum(w => w.Cost);
        foreach (PaperFigure figure in plan.Figures)
        {
            double here = lab.Images.Count * figure.Work(lab.Settings).Where(w => !done.Contains(w.Name)).Sum(w => w.Cost),
                start = lab.Work;
            lab.Progress = progress is null
                ? null
                : new Direct<ExperimentProgress>(p => progress.Report(Share(figure, Math.Min(_doneWork + p.Work - start, _doneWork + here))));
            make(figure);
            _doneWork += here;
            done.UnionWith(figure.Work(lab.Settings).Select(w => w.Name));
            progress?.Report(Share(figure, _doneWork));
        }
    }

    private WorkProgress Share(PaperFigure figure, double work)
    {
        double share = Math.Min(1, work / Math.Max(_totalWork, 1));
        int at = plan.Figures.ToList().IndexOf(figure) + 1;
        // Rounded down, so that 100 % appears only when everything is done.
        return new FigureProgress(
            share,
            string.Create(CultureInfo.InvariantCulture, $"{figure.Id} ({at} of {plan.Figures.Count}), {Math.Floor(1000 * share) / 10:0.0} % of total")
        );
    }

    private sealed record FigureProgress(double Share, string At) : WorkProgress("figures")
    {
        public override double Done => Share;

        public override double Total => 1;

        public override string Where => At;
    }

    private FigureSection Write(PaperFigure figure, Action<string> log)
    {
        Stopwatch clock = Stopwatch.StartNew();
        DateTimeOffset started = DateTimeOffset.UtcNow;
        long evaluations = lab.Evaluations;
        int found = lab.Cache.Found,
            written = lab.Cache.Written;
        double? foundSeconds = lab.Cache.FoundSeconds;
        FigureContent content = figure.Make(lab);
        string folder = Path.Combine(plan.Folder, figure.Id);
        List<ReportFile> files = [];
        List<ChartBundle> charts = [];
        List<ReportImage> images = [];
        foreach ((string name, Chart chart) in content.Charts)
        {
            ChartBundle bundle = chart.Build();
            charts.Add(bundle);
            Save(name + ".csv", Encoding.UTF8.GetBytes(bundle.ToCsv()));
            _photographs.Add((bundle, Path.Combine(folder, name + ".png")));
        }
        foreach ((string name, TableData table) in content.Tables)
            Save(name + ".csv", Encoding.UTF8.GetBytes(table.ToCsv()));
        foreach ((string name, ImageGrid grid, string alt) in content.Grids)
        {
            byte[] png = grid.ToPng();
            Save(Safe(name) + ".png", png);
            images.Add(new ReportImage(png, alt));
        }
        string command = $"dotnet run -c Release --project src/NullTextResearch.Cli -- reproduce --figures {figure.Id}{plan.CommandOptions}";
        string manifest = JsonSerializer.Serialize(
            new
            {
                figure = figure.Id,
                title = figure.Title,
                command,
                started,
                seconds = Seconds(clock.Elapsed.TotalSeconds),
                unetEvaluations = lab.Evaluations - evaluations,
                // Of another figure or an earlier run; those seconds are not in the time above.
                results = new
                {
                    computed = lab.Cache.Written - written,
                    read = lab.Cache.Found - found,
                    readSeconds = Seconds(lab.Cache.FoundSeconds - foundSeconds),
                },
                options = lab.Settings,
                seed = lab.Settings.Seed,
                model = new
                {
                    name = model.Name,
                    sha256 = lab.Fingerprint,
                    dtype = model.Dtype.ToString(),
                    numerics = model.Source?.Options.Numerics,
                    memory = model.Memory.ToString(),
                    imageSize = model.ImageSize,
                },
                images = lab.Images.Select(i => new
                {
                    i.Name,
                    i.Caption,
                    sha256 = i.Hash,
                }),
                algorithmVersion = ExperimentLab.AlgorithmVersion,
                versions = Versions(),
                device = model.Device.ToString(),
                threads = plan.Threads,
                processors = Environment.ProcessorCount,
            },
            Json
        );
        Save("manifest.json", Encoding.UTF8.GetBytes(manifest));
        FigureSection section = new()
        {
            Id = figure.Id,
            Title = figure.Title,
            Caption = content.Caption,
            PaperFound = content.Paper,
            ThisRunFound = content.Found,
            Claims = content.Claims,
            Command = command,
            Charts = charts,
            Images = images,
            Tables = [.. content.Tables.Select(t => t.Table)],
            Files = files,
            ManifestJson = manifest,
        };
        Report
            .Of(section with { Files = [.. files.Select(f => f with { RelativePath = f.RelativePath[(figure.Id.Length + 1)..] })] })
            .Write(Path.Combine(folder, "figure.html"));
        IEnumerable<string> claims = content.Claims.Select(c => $"\n  {c.VerdictText}: {c.Sentence} (paper: {c.Paper}; this run: {c.Run}, n = {c.Images})");
        log($"{figure.Title} ({Duration(clock.Elapsed)})\n  {content.Found}{string.Concat(claims)}");
        return section;

        void Save(string name, byte[] bytes)
        {
            WholeFile.Write(Path.Combine(folder, name), bytes);
            files.Add(new ReportFile(name, $"{figure.Id}/{name}"));
        }
    }

    private void Photograph(Action<string> log)
    {
        if (_photographs.Count == 0)
            return;
        if (ChromiumRenderer.TryFind() is not { } chromium)
        {
            log("No Chromium was found: charts are only in the HTML pages, not in PNG files.");
            return;
        }
        foreach (RenderResult result in chromium.RenderCharts(_photographs, cancellationToken: lab.Cancellation).Where(r => !r.Rendered))
            log($"A chart was not written as PNG: {result.Message}");
    }

    private static object Versions() =>
        new
        {
            program = typeof(Reproduction).Assembly.GetName().Version?.ToString(3),
            runtime = RuntimeInformation.FrameworkDescription,
            system = RuntimeInformation.OSDescription,
            torchSharp = typeof(torch).Assembly.GetName().Version?.ToString(),
            libtorch = torch.__version__,
        };

    // What a resumed run found costs it nothing, but was computed once.
    private static string Results(ResultCache cache) =>
        cache.Earlier == 0
            ? $"{cache.Written} computed"
            : $"{cache.Written} computed, {cache.Earlier} from earlier runs"
                + (cache.EarlierSeconds is { } seconds ? $" ({Duration(TimeSpan.FromSeconds(seconds))})" : "");

    private static double? Seconds(double? value) => value is { } seconds ? Math.Round(seconds, 2) : null;

    internal static string Duration(TimeSpan time) =>
        time.TotalMinutes < 1
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s")
            : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s");

    private static string Safe(string name) => new([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-')]);

    private sealed class Direct<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
