using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Metrics;
using NullTextResearch.Text;

namespace NullTextResearch.Figures.Paper;

/// <summary>
/// A figure or table of the paper, made from a lab's model, images and settings. The reports of the command line and the notebooks share them.
/// </summary>
public abstract class PaperFigure
{
    private protected PaperFigure() { }

    /// <summary>All of them, in the order of the report.</summary>
    public static IReadOnlyList<PaperFigure> All { get; } =
    [new Fig04(), new Fig09(), new GlobalFigure(), new Fig13(), new Fig02(), new Fig05(), new Fig15(), new Fig08(), new AblationTable()];

    /// <summary>Name in options, files and links, such as <c>fig04</c>.</summary>
    public abstract string Id { get; }

    /// <summary>Other names that it is found by: numbers of the paper's figures.</summary>
    public abstract IReadOnlyList<string> Aliases { get; }

    /// <summary>Heading.</summary>
    public abstract string Title { get; }

    /// <summary>What it will compute, for progress.</summary>
    /// <param name="settings">Size of the experiments.</param>
    public abstract IEnumerable<WorkItem> Work(ExperimentSettings settings);

    /// <summary>Whether every image must come with at least one edit prompt.</summary>
    public virtual bool NeedsEdits => false;

    /// <summary>Computes it; results that the lab has stored are not computed again.</summary>
    /// <param name="lab">Model, images, settings; borrowed.</param>
    /// <exception cref="OperationCanceledException">The lab was cancelled; finished results are kept.</exception>
    public abstract FigureContent Make(ExperimentLab lab);

    /// <summary>A figure by its name.</summary>
    /// <param name="name">Id or number: <c>fig04</c>, <c>4</c>, <c>ablations</c>.</param>
    /// <exception cref="ArgumentException">There is no such figure; the message lists those that there are.</exception>
    public static PaperFigure Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string plain = name.Trim().ToLowerInvariant();
        string number = plain.StartsWith("fig", StringComparison.Ordinal) ? plain[3..].TrimStart('0') : plain;
        if (All.FirstOrDefault(f => f.Id == plain || f.Aliases.Contains(number)) is { } figure)
            return figure;
        string[] known = [.. All.SelectMany(f => f.Aliases.Count > 0 ? f.Aliases : [f.Id])];
        throw new ArgumentException($"There is no figure '{name}'. Known: {string.Join(", ", known)}{Spelling.Hint(name, known)}.");
    }

    /// <summary>Several figures, in the order of the report.</summary>
    /// <param name="names">Names between commas, spaces or semicolons; empty or <c>all</c> for all.</param>
    /// <exception cref="ArgumentException">There is no figure of one of the names.</exception>
    public static IReadOnlyList<PaperFigure> Parse(string? names)
    {
        PaperFigure[] named = [.. Split(names).Select(Find)];
        return [.. All.Where(named.Contains)];
    }

    private static IEnumerable<string> Split(string? names) =>
        string.IsNullOrWhiteSpace(names) || names.Trim() == "all"
            ? All.Select(f => f.Id)
            : names.Split((char[])[',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries);

    private protected static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private protected static string Conditions(ExperimentLab lab) => Invariant($"{Count(lab.Images.Count, "image")}, T = {lab.Settings.Steps}");

    private protected static string Count(int n, string what) => $"{n.ToString(CultureInfo.InvariantCulture)} {what}{(n == 1 ? "" : "s")}";

    private protected static double Mean(IEnumerable<double> values) => values.Average();

    private protected static double Deviation(IReadOnlyList<double> values)
    {
        double mean = values.Average();
        return values.Count < 2 ? 0 : Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
    }

    /// <summary>The mean; with the sample standard deviation for five or more values, because fewer show none.</summary>
    private protected static string MeanAndDeviation(IReadOnlyList<double> values, string format = "0.00")
    {
        string Number(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        string deviation = Number(Deviation(values));
        // Equal values, and exact reconstructions, whose PSNR is infinite, deviate by nothing that a number can say.
        bool shown = values.Count >= Claim.FewestImages && values.All(double.IsFinite) && deviation != Number(0);
        return shown ? $"{Number(values.Average())} ± {deviation}" : Number(values.Average());
    }

    /// <summary>A mean difference in dB as words, from what it is measured: "0.3 dB above", or "below" if it is negative.</summary>
    private protected static string Apart(PairedDifference difference, string format = "0.0") =>
        difference.Mean < 0
            ? $"{Claim.Say(difference with { Mean = -difference.Mean }, format: format)} below"
            : $"{Claim.Say(difference, format: format)} above";

    /// <summary>Cost of a method's curve over all N of the settings, or over those given.</summary>
    private protected static WorkItem MethodWork(ExperimentSettings s, ReconstructionMethod method, IReadOnlyList<int>? innerSteps = null) =>
        new(
            method.ToString(),
            Reconstruction.WorkOf(s.Steps, method, innerSteps ?? (method == ReconstructionMethod.GlobalNullText ? s.GlobalPasses : s.InnerSteps))
        );

    private protected static WorkItem InversionForEdits(ExperimentSettings s) => new("inversion for edits", s.Steps * (4 + 2.5 * s.InnerSteps[^1]));
}
