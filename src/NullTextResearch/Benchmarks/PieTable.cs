using System.Globalization;
using System.Text.Json;

namespace NullTextResearch.Benchmarks;

/// <summary>The results of a study on PIE-Bench, in the columns, the order and the scale of the published tables.</summary>
/// <remarks>
/// Ju et al. 2024. The mean of a column leaves out pictures without a value: those that may change everywhere have no kept region. The edited region of such a
/// picture is all of it, so its CLIP similarity counts there too, as in the authors' code.
/// </remarks>
public sealed class PieTable
{
    /// <summary>Stands in tables where a metric lacks its weights.</summary>
    public const string WeightsNeeded = "weights needed";

    /// <summary>What a reader of published rows has to know.</summary>
    public const string NotPortable =
        "Published rows are copied from papers and are not portable: they differ in prompts, masks, pixel scales, steps and machines, and none of them was "
        + "measured with this program. Compare methods only within the rows of this run.";

    private PieTable(IReadOnlyList<PieRow> rows) => Rows = rows;

    /// <summary>A row per model, method, settings and editor, in the order of the study.</summary>
    public IReadOnlyList<PieRow> Rows { get; }

    /// <summary>Pictures that are in no mean, because a unit was refused, failed or is missing, with the reason.</summary>
    public IReadOnlyList<StudyRow> LeftOut => [.. Rows.SelectMany(r => r.Units).Where(u => u.Status != UnitStatus.Done)];

    /// <summary>Puts the results of a study into the published columns.</summary>
    /// <param name="plan">The study.</param>
    /// <param name="merged">Its results.</param>
    public static PieTable Of(StudyPlan plan, StudyMerge merged)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(merged);
        Dictionary<string, string> scores = StudyScore
            .Of(plan, hasMask: true, hasTruth: false)
            .DistinctBy(s => s.Metric.Id)
            .ToDictionary(s => s.Metric.Id, s => s.Column);
        return new PieTable([
            .. merged
                .Rows.GroupBy(r => NamesOf(r.Unit), StructuralRows)
                .Select(group =>
                {
                    UnitRecord[] done = [.. group.Where(r => r.Status == UnitStatus.Done).Select(r => r.Record!)];
                    return new PieRow([.. group], [.. PublishedResults.Columns.Select(c => Values(c, scores, done))]);
                }),
        ]);
    }

    /// <summary>A row per combination: names, means with their intervals and numbers of pictures, and how many pictures are done or left out.</summary>
    public StudyTable ToTable() =>
        new(
            [
                .. Names,
                .. PublishedResults.Columns.SelectMany(c => (string[])[c.Title, $"{c.MetricId} low", $"{c.MetricId} high", $"{c.MetricId} n"]),
                "done",
                "refused",
                "failed",
                "missing",
            ],
            [
                .. Rows.Select(row =>
                    (IReadOnlyList<string>)
                        [
                            .. NamesOf(row.First),
                            .. PublishedResults.Columns.SelectMany((_, c) => Cells(row.Mean(c))),
                            Number(row.Done),
                            Number(row.Count(UnitStatus.Refused)),
                            Number(row.Count(UnitStatus.Failed)),
                            Number(row.Count(UnitStatus.Missing)),
                        ]
                ),
            ]
        );

    /// <summary>A row per combination and kind of edit: means and numbers of pictures.</summary>
    public StudyTable KindsTable() =>
        new(
            [.. Names, "kind", .. PublishedResults.Columns.SelectMany(c => (string[])[c.Title, $"{c.MetricId} n"])],
            [
                .. Rows.SelectMany(row =>
                {
                    IReadOnlyList<KindScore>?[] columns = [.. PublishedResults.Columns.Select((_, c) => row.ByKind(c))];
                    return Kinds(row)
                        .Select(kind =>
                            (IReadOnlyList<string>)
                                [
                                    .. NamesOf(row.First),
                                    kind,
                                    .. columns.SelectMany(c => c is null ? [WeightsNeeded, ""] : Short(c.Single(k => k.Kind == kind))),
                                ]
                        );
                }),
            ]
        );

    /// <summary>For every row of this run a table with a row per kind of edit, rounded, with numbers of pictures.</summary>
    public IReadOnlyList<(string Name, StudyTable Table)> KindTables() =>
        [
            .. Rows.Select(row =>
            {
                IReadOnlyList<KindScore>?[] columns = [.. PublishedResults.Columns.Select((_, c) => row.ByKind(c))];
                return (
                    NameOf(row.First),
                    new StudyTable(
                        ["kind", .. PublishedResults.Columns.Select(c => c.Title)],
                        [.. Kinds(row).Select(kind => (IReadOnlyList<string>)[kind, .. columns.Select(c => Rounded(c?.Single(k => k.Kind == kind)))])]
                    )
                );
            }),
        ];

    /// <summary>This run's rows above the published ones, rounded as those are; behind each mean of this run stands its number of pictures.</summary>
    public StudyTable Compared() =>
        new(
            ["method", .. PublishedResults.Columns.Select(c => c.Title), "source"],
            [
                .. Rows.Select(row =>
                    (IReadOnlyList<string>)[NameOf(row.First), .. PublishedResults.Columns.Select((_, c) => Rounded(row.Mean(c))), "this run"]
                ),
                .. PublishedResults.Pie.Select(row =>
                    (IReadOnlyList<string>)
                        [
                            row.Name,
                            .. PublishedResults.Columns.Select(c => c.Value(row) is { } value ? value.ToString("0.00", CultureInfo.InvariantCulture) : "-"),
                            row.Note.Length > 0 ? $"{row.Source}; {row.Note}" : row.Source,
                        ]
                ),
            ]
        );

    /// <summary>All of it as JSON: rows with intervals and kinds, pictures that are left out, published rows.</summary>
    public string ToJson() =>
        JsonSerializer.Serialize(
            new
            {
                Columns = PublishedResults.Columns.Select(c => new
                {
                    c.MetricId,
                    c.Title,
                    c.Factor,
                    c.Direction,
                }),
                Rows = Rows.Select(row => new
                {
                    Model = row.First.Model.Name,
                    Method = row.First.Method.Name,
                    Editor = row.First.Editor.Id,
                    row.First.Steps,
                    Inner = row.First.InnerSteps,
                    row.First.Guidance,
                    row.First.Seed,
                    row.Done,
                    Means = ByMetric(c => row.Mean(c) is { } mean ? Written(mean) : WeightsNeeded),
                    Kinds = Kinds(row)
                        .ToDictionary(
                            kind => kind,
                            kind => ByMetric(c => row.ByKind(c) is { } kinds ? Written(kinds.Single(k => k.Kind == kind)) : WeightsNeeded)
                        ),
                }),
                LeftOut = LeftOut.Select(u => new
                {
                    Task = u.Unit.Task.Id,
                    Model = u.Unit.Model.Name,
                    Method = u.Unit.Method.Name,
                    Editor = u.Unit.Editor.Id,
                    u.Status,
                    u.Reason,
                }),
                Note = NotPortable,
                Published = PublishedResults.Pie,
            },
            StudyMerge.Json
        ) + "\n";

    private static IEqualityComparer<string[]> StructuralRows { get; } =
        EqualityComparer<string[]>.Create((a, b) => a!.SequenceEqual(b!), a => string.Join('\n', a).GetHashCode(StringComparison.Ordinal));

    private static string[] Names => ["model", "method", "editor", "steps", "inner", "guidance", "seed"];

    private static string[] NamesOf(StudyUnit unit) =>
        [
            unit.Model.Name,
            unit.Method.Name,
            unit.Editor.Id,
            Number(unit.Steps),
            unit.InnerSteps is { } inner ? Number(inner) : "",
            Number(unit.Guidance),
            unit.Seed?.ToString(CultureInfo.InvariantCulture) ?? "",
        ];

    private static string NameOf(StudyUnit unit) => $"{unit.Method.Name} + {unit.Editor.Id} ({unit.Model.Name}, {Number(unit.Steps)} steps)";

    private static IEnumerable<string> Kinds(PieRow row) =>
        row.Units.Where(u => u.Status == UnitStatus.Done).Select(u => u.Unit.Task.Kind).Distinct(StringComparer.Ordinal);

    /// <summary>A value per picture in the published scale; NaN where it has none. Null without the metric.</summary>
    private static double[]? Values(PublishedColumn column, Dictionary<string, string> scores, UnitRecord[] done)
    {
        if (!scores.TryGetValue(column.MetricId, out string? own))
            return null;
        // The edited region of a picture that may change everywhere is the whole picture.
        string? whole = column.MetricId == "masked-clip-text" ? scores.GetValueOrDefault("clip-text") : null;
        return
        [
            .. done.Select(r =>
                column.Factor
                * (
                    r.Scores.TryGetValue(own, out double value) ? value
                    : whole is not null && r.Scores.TryGetValue(whole, out double all) ? all
                    : double.NaN
                )
            ),
        ];
    }

    private static string[] Cells(KindScore? mean) =>
        mean is null ? [WeightsNeeded, "", "", ""] : [Text(mean.Mean.Value), Text(mean.Mean.Low), Text(mean.Mean.High), Number(mean.Count)];

    private static string[] Short(KindScore mean) => [Text(mean.Mean.Value), Number(mean.Count)];

    private static string Rounded(KindScore? mean) =>
        mean is null ? WeightsNeeded
        : mean.Count == 0 ? "-"
        : string.Create(CultureInfo.InvariantCulture, $"{mean.Mean.Value:0.00} ({mean.Count})");

    private static Dictionary<string, object> ByMetric(Func<int, object> of) =>
        PublishedResults.Columns.Index().ToDictionary(c => c.Item.MetricId, c => of(c.Index));

    private static object Written(KindScore mean) =>
        new
        {
            mean.Mean.Value,
            mean.Mean.Low,
            mean.Mean.High,
            N = mean.Count,
        };

    private static string Text(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
