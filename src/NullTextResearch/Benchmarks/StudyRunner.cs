using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// Computes the units of a shard. Each model is loaded once, each inversion is made once for all of its units, and each result is stored as soon as it is
/// there. Running again continues: finished units are found, failed ones tried again. The order of units, the number of shards and earlier interruptions do
/// not change results.
/// </summary>
/// <param name="study">The study.</param>
/// <param name="folder">Folder of the results; created if missing. Shards share it.</param>
public sealed class StudyRunner(Study study, string folder)
{
    private readonly StudyFolder _folder = new(folder);
    private readonly string _basis = StudyScore.Basis(study.Plan);

    /// <summary>Networks of metrics; borrowed. Null if the study's metrics need none.</summary>
    public MetricNetworks? Networks { get; init; }

    /// <summary>Who judges the edited pictures; borrowed. Null for nobody.</summary>
    public IEditJudge? Judge { get; init; }

    /// <summary>Where the models run, for the records.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Told of every finished unit; null for nobody.</summary>
    public IProgress<StudyProgress>? Progress { get; init; }

    /// <summary>Computes what is missing of a shard.</summary>
    /// <param name="shard">The shard; null for the whole study.</param>
    /// <param name="cancellation">Checked at every step. The unit in progress is dropped; finished ones stay.</param>
    /// <returns>What was done. A unit that failed is in it and has an error record; it does not end the run.</returns>
    /// <exception cref="StudyException">A metric lacks its weights.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="IOException">A result cannot be stored; earlier ones are complete.</exception>
    public StudyOutcome Run(StudyShard? shard = null, CancellationToken cancellation = default)
    {
        foreach (Metric metric in study.Plan.Metrics.Select(MetricCatalogue.Find))
        {
            if (metric.Network is { } network && Networks?.Has(network) != true)
                throw new StudyException(
                    $"The metric {metric.Id} needs the published weights of {network}, which the folder 'weights' of the study does not hold. "
                        + "Put them there, or leave the metric out: it can be added later, from the stored pictures."
                );
        }
        StudyUnit[] units = [.. study.Of(shard ?? StudyShard.Whole)];
        Tally tally = new(units.Length) { Refused = units.Count(u => u.Refusal is not null) };
        tally.Finished = tally.Refused;
        foreach (StudyModel model in study.Models)
        {
            List<StudyUnit> pending = [];
            foreach (StudyUnit unit in units.Where(u => u.Model == model && u.Refusal is null))
            {
                cancellation.ThrowIfCancellationRequested();
                if (!IsFinished(unit, tally))
                    pending.Add(unit);
            }
            if (pending.Count == 0)
                continue;
            using IDiffusionModel loaded = model.Load();
            // An inversion during which an earlier process died, out of memory perhaps, comes last: it cannot keep the others from being computed.
            foreach (StudyUnit[] group in pending.GroupBy(u => u.InversionKey.Hash).Select(g => g.ToArray()).OrderBy(g => _folder.IsMarked(g[0].InversionKey)))
            {
                cancellation.ThrowIfCancellationRequested();
                using IDisposable mark = _folder.Mark(group[0].InversionKey);
                RunGroup(loaded, group, tally, cancellation);
            }
        }
        return new StudyOutcome(tally.Planned, tally.Found, tally.Computed, tally.Scored, tally.Refused, tally.Failures);
    }

    /// <summary>Whether a unit has a result. Scores and judgements that it lacks are made from its picture.</summary>
    private bool IsFinished(StudyUnit unit, Tally tally)
    {
        if (_folder.Find(unit) is not { } record || !_folder.HasPicture(unit, record))
            return false;
        if (record.Status == UnitStatus.Refused)
            tally.Refused++;
        else if (!IsScored(unit, record) || (Judge is { } judge && record.JudgedBy != judge.Id))
        {
            if (_folder.Picture(unit, record) is not { } picture)
                return false;
            try
            {
                record = Scored(unit, record, picture, study.Plan, _basis);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                tally.Failures.Add(Fail(unit, "scores", e));
                tally.Tell(Progress, unit, tally.Failures[^1]);
                return true;
            }
            _folder.Write(unit, record);
            tally.Scored++;
        }
        tally.Found++;
        tally.Finished++;
        return true;
    }

    private bool IsScored(StudyUnit unit, UnitRecord record) => IsScored(study.Plan, _basis, unit, record);

    /// <summary>Whether a record has a score for each metric of a study.</summary>
    internal static bool IsScored(StudyPlan plan, string basis, StudyUnit unit, UnitRecord record) =>
        record.ScoredBy == basis && StudyScore.Of(plan, unit.HasMask, unit.HasTruth).All(s => record.Scores.ContainsKey(s.Column));

    private void RunGroup(IDiffusionModel model, StudyUnit[] group, Tally tally, CancellationToken cancellation)
    {
        StudyUnit first = group[0];
        RunControl control = new() { Cancellation = cancellation };
        InvertedPicture inverted;
        try
        {
            inverted = model.Invert(
                first.Dataset.Picture(first.Task),
                first.Task.SourcePrompt,
                new InvertOptions
                {
                    Method = _folder.Resumable(first.Method.Inversion, first.InversionKey),
                    Steps = first.Steps,
                    GuidanceScale = first.Guidance,
                    Size = study.Sizing,
                },
                control
            );
        }
        // The only other way out: the records of its units say what happened, and the other groups go on.
        catch (Exception e) when (e is not OperationCanceledException)
        {
            foreach (StudyUnit unit in group)
                Close(unit, e, "inversion", tally);
            return;
        }
        using (inverted)
        {
            foreach (StudyUnit unit in group)
            {
                cancellation.ThrowIfCancellationRequested();
                UnitRecord record;
                RgbImage picture;
                string stage = "edit";
                try
                {
                    (record, picture) = Edit(model, inverted, unit, control);
                    stage = "scores";
                    record = Scored(unit, record, picture, study.Plan, _basis);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Close(unit, e, stage, tally);
                    continue;
                }
                // Outside of the above: where results cannot be stored, there is no point in going on.
                record = _folder.Write(unit, record, picture);
                tally.Computed++;
                tally.Finished++;
                tally.Tell(Progress, unit, record);
            }
        }
        _folder.RemoveState(first.InversionKey);
    }

    private (UnitRecord Record, RgbImage Picture) Edit(IDiffusionModel model, InvertedPicture inverted, StudyUnit unit, RunControl control)
    {
        using EditedPicture edited = model.Edit(inverted, unit.Task.TargetPrompt, unit.Settings.Of(unit.Task, unit.Editor.Default), control);
        UnitRecord record = New(unit, UnitStatus.Done) with
        {
            Evaluations = inverted.Inversion.EvaluationsPerImage,
            Backwards = inverted.Inversion.BackwardsPerImage,
            Seconds = inverted.Inversion.Elapsed.TotalSeconds,
            EditEvaluations = edited.Result.Evaluations,
            EditBackwards = edited.Result.Backwards,
            EditSeconds = edited.Result.Elapsed.TotalSeconds,
            ReconstructionPsnr = inverted.Psnr,
            AutoencoderPsnr = inverted.RoundTripPsnr,
        };
        return (record, edited.Image);
    }

    private UnitRecord Scored(StudyUnit unit, UnitRecord record, RgbImage picture, StudyPlan plan, string basis)
    {
        SizeRule sizes = unit.Model.Sizes;
        RegionMask? mask = unit.Dataset.Mask(unit.Task) is { } own ? StudyPictures.Prepare(own, study.Sizing, sizes) : null;
        RgbImage? truth = unit.Dataset.Truth(unit.Task) is { } known ? StudyPictures.Prepare(known, study.Sizing, sizes) : null;
        RgbImage source = StudyPictures.Prepare(unit.Dataset.Picture(unit.Task), study.Sizing, sizes);
        StudyScore.Edit edit = new(unit.Task, picture, source, mask, truth, plan.Mode);
        // Scores of metrics that the study does not name now stay, as long as they count in the same way.
        Dictionary<string, double> scores = record.ScoredBy == basis ? new(record.Scores) : [];
        foreach (StudyScore score in StudyScore.Of(plan, mask is not null, truth is not null).Where(s => !scores.ContainsKey(s.Column)))
            scores.Add(score.Column, score.Metric.Measure(score.Input(edit), Networks));
        record = record with { Scores = scores, ScoredBy = basis };
        return Judge is { } judge && record.JudgedBy != judge.Id ? record with { Success = judge.Judge(unit.Task, picture), JudgedBy = judge.Id } : record;
    }

    /// <summary>Records why there is no picture.</summary>
    private void Close(StudyUnit unit, Exception e, string stage, Tally tally)
    {
        UnitRecord record;
        // This is how methods, editors, models and prompts refuse each other; a wrong shape or a null is an error of the program.
        if (e is ArgumentException refusal and not (ArgumentNullException or ArgumentOutOfRangeException or ShapeMismatchException) && stage != "scores")
        {
            record = New(unit, UnitStatus.Refused) with { Reason = Excerpt.WithoutParameter(refusal) };
            _folder.Write(unit, record);
            tally.Refused++;
            tally.Finished++;
        }
        else
        {
            record = Fail(unit, stage, e);
            tally.Failures.Add(record);
        }
        tally.Tell(Progress, unit, record);
    }

    private UnitRecord Fail(StudyUnit unit, string stage, Exception e)
    {
        UnitRecord record = New(unit, UnitStatus.Failed) with
        {
            Reason = e.Message.Split('\n', 2)[0].TrimEnd(),
            Stage = stage,
            Error = e.ToString(),
            Attempts = (_folder.FindFailure(unit)?.Attempts ?? 0) + 1,
        };
        _folder.WriteFailure(unit, record);
        return record;
    }

    private UnitRecord New(StudyUnit unit, UnitStatus status) =>
        new()
        {
            Status = status,
            Slot = unit.Slot,
            Device = Device,
            Program = typeof(StudyRunner).Assembly.GetName().Version?.ToString(3) ?? "",
            Finished = DateTimeOffset.UtcNow,
        };

    private sealed class Tally(int planned)
    {
        public int Planned => planned;

        public int Found { get; set; }

        public int Computed { get; set; }

        public int Scored { get; set; }

        public int Refused { get; set; }

        public int Finished { get; set; }

        public List<UnitRecord> Failures { get; } = [];

        public void Tell(IProgress<StudyProgress>? progress, StudyUnit unit, UnitRecord record) =>
            progress?.Report(new StudyProgress(unit, record, Finished + Failures.Count, planned));
    }
}
