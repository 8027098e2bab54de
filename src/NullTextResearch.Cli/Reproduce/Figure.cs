using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Text;

namespace NullTextResearch.Cli.Reproduce;

/// <summary>The content of a figure before it is written to files.</summary>
internal sealed record FigureContent
{
    /// <summary>What it shows, and how.</summary>
    public required string Caption { get; init; }

    /// <summary>What the paper found.</summary>
    public required string Paper { get; init; }

    /// <summary>What this run found, in computed numbers.</summary>
    public required string Found { get; init; }

    /// <summary>What the paper claims here, each with its verdict.</summary>
    public IReadOnlyList<Claim> Claims { get; init; } = [];

    /// <summary>Charts by name (a part of a file name).</summary>
    public IReadOnlyList<(string Name, Chart Chart)> Charts { get; init; } = [];

    /// <summary>Picture grids by name.</summary>
    public IReadOnlyList<(string Name, ImageGrid Grid, string AltText)> Grids { get; init; } = [];

    /// <summary>Tables by name.</summary>
    public IReadOnlyList<(string Name, TableData Table)> Tables { get; init; } = [];
}

/// <summary>A piece of work that several figures may share.</summary>
/// <param name="Name">Which one.</param>
/// <param name="Cost">Network evaluations per image; those followed by a backward pass count three times.</param>
internal readonly record struct WorkItem(string Name, double Cost);

/// <summary>A figure or table of the report.</summary>
internal abstract class Figure
{
    /// <summary>All of them, in the order of the report.</summary>
    public static IReadOnlyList<Figure> All { get; } =
    [new Fig04(), new Fig09(), new GlobalFigure(), new Fig13(), new Fig02(), new Fig05(), new Fig15(), new Fig08(), new AblationTable()];

    /// <summary>Name in options, files and links.</summary>
    public abstract string Id { get; }

    /// <summary>Other names that the option accepts: numbers of the paper's figures.</summary>
    public abstract IReadOnlyList<string> Aliases { get; }

    /// <summary>Heading.</summary>
    public abstract string Title { get; }

    /// <summary>What it will compute, for the progress bar.</summary>
    public abstract IEnumerable<WorkItem> Work(ExperimentSettings settings);

    /// <summary>Whether every image must come with at least one edit prompt.</summary>
    public virtual bool NeedsEdits => false;

    /// <summary>Computes it.</summary>
    public abstract FigureContent Make(ExperimentLab lab);

    /// <summary>The figures that an option names, in the order of the report.</summary>
    public static IReadOnlyList<Figure> Parse(string? names) => [.. All.Where(Split(names).Select(Find).Contains)];

    /// <summary>The error for unknown names in an option, or null if all are known.</summary>
    public static string? Unknown(string? names)
    {
        if (Split(names).FirstOrDefault(n => Find(n) is null) is not { } name)
            return null;
        string[] known = [.. All.SelectMany(f => f.Aliases.Count > 0 ? f.Aliases : [f.Id])];
        return $"There is no figure '{name}'. Known: {string.Join(", ", known)}{Spelling.Hint(name, known)}.";
    }

    private static IEnumerable<string> Split(string? names) =>
        string.IsNullOrWhiteSpace(names) || names.Trim() == "all"
            ? All.Select(f => f.Id)
            : names.Split((char[])[',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries);

    private static Figure? Find(string name)
    {
        string plain = name.ToLowerInvariant();
        string number = plain.StartsWith("fig", StringComparison.Ordinal) ? plain[3..].TrimStart('0') : plain;
        return All.FirstOrDefault(f => f.Id == plain || f.Aliases.Contains(number));
    }

    protected static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    protected static string Conditions(ExperimentLab lab) => Invariant($"{Count(lab.Images.Count, "image")}, T = {lab.Settings.Steps}");

    protected static string Count(int n, string what) => $"{n.ToString(CultureInfo.InvariantCulture)} {what}{(n == 1 ? "" : "s")}";

    protected static double Mean(IEnumerable<double> values) => values.Average();

    protected static double Deviation(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        return values.Count < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    /// <summary>The mean; with the sample standard deviation for five or more values, because fewer show none.</summary>
    protected static string MeanAndDeviation(IReadOnlyList<double> values, string format = "0.00") =>
        values.Count < Claim.FewestImages
            ? values.Average().ToString(format, CultureInfo.InvariantCulture)
            : $"{values.Average().ToString(format, CultureInfo.InvariantCulture)} ± {Deviation(values).ToString(format, CultureInfo.InvariantCulture)}";

    /// <summary>Cost of a method's curve over all N of the settings, or over those given.</summary>
    protected static WorkItem MethodWork(ExperimentSettings s, ReconstructionMethod method, IReadOnlyList<int>? innerSteps = null) =>
        new(
            method.ToString(),
            Reconstruction.WorkOf(s.Steps, method, innerSteps ?? (method == ReconstructionMethod.GlobalNullText ? s.GlobalPasses : s.InnerSteps))
        );

    protected static WorkItem InversionForEdits(ExperimentSettings s) => new("inversion for edits", s.Steps * (4 + 2.5 * s.InnerSteps[^1]));
}
