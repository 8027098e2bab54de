using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using NullTextResearch.Experiments;
using NullTextResearch.Images;

namespace NullTextResearch.Benchmarks;

/// <summary>The results of a study, put together from its folder, in the order of the study's file.</summary>
public sealed class StudyMerge
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly Study _study;
    private readonly StudyFolder _results;
    private readonly StudyRow[] _rows;

    private StudyMerge(Study study, StudyFolder results, StudyRow[] rows, IReadOnlyList<string> notes) =>
        (_study, _results, _rows, Notes) = (study, results, rows, notes);

    /// <summary>All units with what became of them, in the order of the study.</summary>
    public IReadOnlyList<StudyRow> Rows => _rows;

    /// <summary>Units without a result, or without a score that the study asks for.</summary>
    public IReadOnlyList<StudyUnit> Missing => [.. _rows.Where(r => r.Status == UnitStatus.Missing).Select(r => r.Unit)];

    /// <summary>Units that failed, each with its error record.</summary>
    public IReadOnlyList<(StudyUnit Unit, UnitRecord Record)> Failed => [.. _rows.Where(r => r.Status == UnitStatus.Failed).Select(r => (r.Unit, r.Record!))];

    /// <summary>Number of units whose parts do not combine.</summary>
    public int Refused => _rows.Count(r => r.Status == UnitStatus.Refused);

    /// <summary>Number of units with an edited picture and all scores.</summary>
    public int Done => _rows.Count(r => r.Status == UnitStatus.Done);

    /// <summary>Whether every unit is done or refused.</summary>
    public bool IsComplete => Done + Refused == _rows.Length;

    /// <summary>What a reader of the tables should know: results of several devices or programs, older results that were not used.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Reads the results of a study.</summary>
    /// <param name="study">The study.</param>
    /// <param name="folder">Folder of the results.</param>
    /// <exception cref="StudyException">
    /// There is no such folder, or units have results of other versions of model, data, method or algorithms only; the message names the versions' difference.
    /// </exception>
    public static StudyMerge Of(Study study, string folder)
    {
        if (!Directory.Exists(folder))
            throw new StudyException($"There are no results in {folder}: it is not a folder. Run the study first, or name the folder given to its --out.");
        StudyFolder results = new(folder);
        string basis = StudyScore.Basis(study.Plan);
        StudyRow[] rows = [.. study.Units.Select(u => RowOf(study, results, basis, u))];
        List<string> notes = [];
        if (results.Damaged > 0)
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"{results.Damaged} records are damaged and count as missing; run the study again"));
        RequireOneVersion(rows, [.. results.Others(study.Units)], folder, notes);
        foreach ((string what, Func<UnitRecord, string> of) in ((string, Func<UnitRecord, string>)[])[("devices", r => r.Device), ("programs", r => r.Program)])
        {
            string[] kinds = [.. rows.Where(r => r.Status == UnitStatus.Done).Select(r => of(r.Record!)).Distinct().Order(StringComparer.Ordinal)];
            if (kinds.Length > 1)
                notes.Add($"the results are of several {what}: {string.Join(", ", kinds)}");
        }
        return new StudyMerge(study, results, rows, notes);
    }

    /// <summary>The edited picture of a unit that is done.</summary>
    /// <param name="row">One of <see cref="Rows"/>.</param>
    /// <returns>The picture; null if the unit is not done, or the file is missing or damaged.</returns>
    public RgbImage? Picture(StudyRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row is { Status: UnitStatus.Done, Record: { } record } ? _results.Picture(row.Unit, record) : null;
    }

    /// <summary>A row per unit: names, settings, status, quality and cost, without times, so that every way to compute a study gives the same table.</summary>
    public StudyTable Table()
    {
        StudyScore[] scores = Scores();
        bool isJudged = _rows.Any(r => r.Record?.JudgedBy is not null);
        return new StudyTable(
            [
                .. Names,
                "status",
                "reconstruction-psnr",
                "autoencoder-psnr",
                .. scores.Select(s => s.Column),
                .. isJudged ? (string[])["success"] : [],
                "evaluations",
                "backwards",
                "edit-evaluations",
                "edit-backwards",
                "reason",
            ],
            [
                .. _rows.Select(row =>
                {
                    UnitRecord? made = row.Status == UnitStatus.Done ? row.Record : null;
                    return (IReadOnlyList<string>)
                        [
                            .. NamesOf(row.Unit),
                            row.Status.ToString().ToLowerInvariant(),
                            Text(made?.ReconstructionPsnr),
                            Text(made?.AutoencoderPsnr),
                            .. scores.Select(s => Text(made?.Scores.TryGetValue(s.Column, out double value) == true ? value : null)),
                            .. isJudged ? (string[])[made?.Success is { } success ? (success ? "1" : "0") : ""] : [],
                            Text(made?.Evaluations),
                            Text(made?.Backwards),
                            Text(made?.EditEvaluations),
                            Text(made?.EditBackwards),
                            row.Reason ?? "",
                        ];
                }),
            ]
        );
    }

    /// <summary>A row per unit: names, settings, and seconds of inversion and edit.</summary>
    public StudyTable Times() =>
        new(
            [.. Names, "seconds", "edit-seconds"],
            [
                .. _rows.Select(row =>
                {
                    UnitRecord? made = row.Status == UnitStatus.Done ? row.Record : null;
                    return (IReadOnlyList<string>)[.. NamesOf(row.Unit), Text(made?.Seconds), Text(made?.EditSeconds)];
                }),
            ]
        );

    /// <summary>
    /// A row per data set, model, method, settings and editor: units done, refused and failed, and the means over the units that are done; of seeds too.
    /// Undefined values (an empty mask) do not count.
    /// </summary>
    public StudyTable Summary()
    {
        StudyScore[] scores = Scores();
        bool isJudged = _rows.Any(r => r.Record?.Success is not null);
        return new StudyTable(
            [
                .. Names.Where(n => n is not ("task" or "kind" or "seed")),
                "done",
                "refused",
                "failed",
                "reconstruction-psnr",
                "autoencoder-psnr",
                .. scores.Select(s => s.Column),
                .. isJudged ? (string[])["success"] : [],
                "evaluations",
                "edit-evaluations",
            ],
            [
                .. _rows
                    .GroupBy(r => string.Join('\n', SettingsOf(r.Unit)))
                    .Select(group =>
                    {
                        UnitRecord[] made = [.. group.Where(r => r.Status == UnitStatus.Done).Select(r => r.Record!)];
                        return (IReadOnlyList<string>)
                            [
                                .. SettingsOf(group.First().Unit),
                                Text(made.Length),
                                Text(group.Count(r => r.Status == UnitStatus.Refused)),
                                Text(group.Count(r => r.Status == UnitStatus.Failed)),
                                Mean(made.Select(r => r.ReconstructionPsnr)),
                                Mean(made.Select(r => r.AutoencoderPsnr)),
                                .. scores.Select(s => Mean(made.Select(r => r.Scores.TryGetValue(s.Column, out double value) ? value : (double?)null))),
                                .. isJudged ? (string[])[Mean(made.Select(r => r.Success is { } success ? (success ? 1.0 : 0.0) : (double?)null))] : [],
                                Mean(made.Select(r => (double?)r.Evaluations)),
                                Mean(made.Select(r => (double?)r.EditEvaluations)),
                            ];
                    }),
            ]
        );
    }

    /// <summary>The study's data, models and rows as JSON, without times.</summary>
    public string ToJson()
    {
        StudyScore[] scores = Scores();
        return JsonSerializer.Serialize(
                new
                {
                    _study.Plan.Name,
                    Complete = IsComplete,
                    Algorithms = ExperimentLab.AlgorithmVersion,
                    Data = _study.Data.Select(d => new
                    {
                        d.Name,
                        Tasks = d.Tasks.Count,
                        d.Fingerprint,
                    }),
                    Models = _study.Models.Select(m => new { m.Name, m.Identity }),
                    Units = _rows.Select(row =>
                    {
                        UnitRecord? made = row.Status == UnitStatus.Done ? row.Record : null;
                        return new
                        {
                            Dataset = row.Unit.Dataset.Name,
                            Task = row.Unit.Task.Id,
                            row.Unit.Task.Kind,
                            Model = row.Unit.Model.Name,
                            Method = row.Unit.Method.Name,
                            Editor = row.Unit.Editor.Id,
                            row.Unit.Steps,
                            Inner = row.Unit.InnerSteps,
                            row.Unit.Guidance,
                            row.Unit.Seed,
                            Key = row.Unit.Key.Hash,
                            row.Status,
                            row.Reason,
                            made?.ReconstructionPsnr,
                            made?.AutoencoderPsnr,
                            Scores = made is null
                                ? null
                                : scores.Where(s => made.Scores.ContainsKey(s.Column)).ToDictionary(s => s.Column, s => made.Scores[s.Column]),
                            made?.Success,
                            made?.Evaluations,
                            made?.Backwards,
                            made?.EditEvaluations,
                            made?.EditBackwards,
                        };
                    }),
                },
                Json
            ) + "\n";
    }

    private static string[] Names => ["dataset", "task", "kind", "model", "method", "editor", "steps", "inner", "guidance", "seed"];

    private static string[] NamesOf(StudyUnit unit) =>
        [
            unit.Dataset.Name,
            unit.Task.Id,
            unit.Task.Kind,
            unit.Model.Name,
            unit.Method.Name,
            unit.Editor.Id,
            Text(unit.Steps),
            Text(unit.InnerSteps),
            Text(unit.Guidance),
            unit.Seed?.ToString(CultureInfo.InvariantCulture) ?? "",
        ];

    private static string[] SettingsOf(StudyUnit unit) =>
        [.. Names.Zip(NamesOf(unit)).Where(n => n.First is not ("task" or "kind" or "seed")).Select(n => n.Second)];

    private static string Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static string Mean(IEnumerable<double?> values)
    {
        double[] known = [.. values.OfType<double>().Where(v => !double.IsNaN(v))];
        return known.Length == 0 ? "" : Text(known.Average());
    }

    // All columns that some unit has, in the order of the study's metrics.
    private StudyScore[] Scores() => [.. StudyScore.Of(_study.Plan, _study.Units.Any(u => u.HasMask), _study.Units.Any(u => u.HasTruth))];

    private static StudyRow RowOf(Study study, StudyFolder results, string basis, StudyUnit unit)
    {
        if (unit.Refusal is { } refusal)
            return new StudyRow(unit, UnitStatus.Refused, null, refusal);
        if (results.Find(unit) is { } record)
            return record.Status == UnitStatus.Refused || StudyRunner.IsScored(study.Plan, basis, unit, record)
                ? new StudyRow(unit, record.Status, record, record.Reason)
                : new StudyRow(
                    unit,
                    UnitStatus.Missing,
                    record,
                    "not all scores of the study are there; run it again: they are computed from the stored picture"
                );
        return results.FindFailure(unit) is { } failure
            ? new StudyRow(unit, UnitStatus.Failed, failure, $"{failure.Stage}: {failure.Reason}")
            : new StudyRow(unit, UnitStatus.Missing, null, null);
    }

    /// <summary>Refuses results that would make one table of several versions.</summary>
    private static void RequireOneVersion(StudyRow[] rows, (ResultKey Key, UnitRecord Record)[] others, string folder, List<string> notes)
    {
        if (others.Length == 0)
            return;
        ILookup<string, (ResultKey Key, UnitRecord Record)> bySlot = others.ToLookup(o => o.Record.Slot);
        (StudyRow Row, ResultKey Other)[] old =
        [
            .. rows.Where(r => r is { Record: null, Status: UnitStatus.Missing } && bySlot.Contains(r.Unit.Slot))
                .Select(r => (r, bySlot[r.Unit.Slot].First().Key)),
        ];
        if (old.Length > 0)
            throw new StudyException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The results in {folder} are of different versions and make no common table: {old.Length} of {rows.Length} units have a result of another "
                )
                    + $"version only, the first of them {old[0].Row.Unit.Slot}. It differs in: {StudyKeys.Difference(old[0].Row.Unit.Key, old[0].Other)}. "
                    + "Run the study again to compute these units with this version (the old results stay), or merge with the model, data and "
                    + "program of the old ones."
            );
        notes.Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{others.Length} further results in {folder} are of other versions, or of units that the study does not name; they are not used"
            )
        );
    }
}
