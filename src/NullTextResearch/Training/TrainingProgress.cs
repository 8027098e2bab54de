using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>A progress report of a training run.</summary>
/// <param name="Stage">Name of the stage: vae, latents, unet, classifier.</param>
/// <param name="Step">Steps completed.</param>
/// <param name="Progress">Share of the stage completed, 0 to 1.</param>
/// <param name="Loss">Mean training loss since the last report, or NaN.</param>
/// <param name="Message">One line to display.</param>
public sealed record TrainingProgress(string Stage, long Step, double Progress, double Loss, string Message) : WorkProgress(Stage)
{
    /// <inheritdoc/>
    public override double Done => Progress;

    /// <inheritdoc/>
    public override double Total => 1;

    /// <inheritdoc/>
    public override string Where => Message;
}

/// <summary>The training loop shared by all stages: gradients by parts of the batch, optimiser, log, checkpoints.</summary>
internal sealed class StageLoop : IDisposable
{
    /// <summary>Seconds until the first checkpoint of a run.</summary>
    internal const double SecondsToTheFirst = 10;

    private readonly string _name;
    private readonly StageSchedule _schedule;
    private readonly TrainingRunOptions _options;
    private readonly WorkerPool _pool;
    private readonly FlatParameters _parameters;
    private readonly FlatAdamW _optimiser;
    private readonly Tensor[] _gradients;
    private readonly Queue<double> _recent = new();
    private readonly string _checkpoint;
    private double _secondsBefore;

    public StageLoop(string name, StageSchedule schedule, TrainingRunOptions options, WorkerPool pool, FlatParameters parameters, AdamWSettings settings)
    {
        if (schedule.Batch % schedule.Parts != 0)
            throw new ArgumentException($"{name}: a batch of {schedule.Batch} cannot be split into {schedule.Parts} equal parts.");
        _name = name;
        _schedule = schedule;
        _options = options;
        _pool = pool;
        _parameters = parameters;
        _optimiser = new FlatAdamW(parameters, pool, settings);
        _gradients = [.. Enumerable.Range(0, schedule.Parts).Select(_ => empty_like(parameters.Values).DetachFromDisposeScope())];
        _checkpoint = Path.Combine(options.Folder, $"{name}.checkpoint");
        Directory.CreateDirectory(options.Folder);
        if (TrainingCheckpoint.LoadLast(_checkpoint, Vectors(), out string? note) is not { } numbers)
            return;
        if (
            !numbers.TryGetValue("step", out double step)
            || !(step >= 0 && step < long.MaxValue)
            || !numbers.TryGetValue("seconds", out _secondsBefore)
            || !(_secondsBefore >= 0)
        )
            throw new TrainingFileException($"{_checkpoint} does not record its step and seconds; delete it to restart this part.");
        Step = (long)step;
        if (note is not null)
            _options.Progress?.Report(
                new TrainingProgress(_name, Step, 0, double.NaN, string.Create(CultureInfo.InvariantCulture, $"{_name}: {note} Resuming after step {Step}."))
            );
    }

    /// <summary>Steps completed.</summary>
    public long Step { get; private set; }

    public double Progress { get; private set; }

    public Tensor Average => _optimiser.Average;

    /// <summary>Trains to the end of the schedule.</summary>
    /// <param name="loss">Maps (worker, step, part) to the mean loss of that part, a float32 scalar with its graph.</param>
    /// <param name="measure">Called periodically and at the end, with the averaged weights in use; returns a number for the log.</param>
    /// <param name="cancel">Stops after the current step, with a checkpoint.</param>
    public void Run(Func<int, long, int, Tensor> loss, Func<long, double> measure, CancellationToken cancel)
    {
        Stopwatch clock = Stopwatch.StartNew();
        double saveAt = Math.Min(SecondsToTheFirst, _options.CheckpointSeconds),
            measuredAt = 0,
            sum = 0;
        long logged = Step;
        double[] losses = new double[_schedule.Parts];
        string log = Path.Combine(_options.Folder, $"{_name}.csv");
        StartLog(log);
        double Seconds() => _secondsBefore + clock.Elapsed.TotalSeconds;
        while ((Progress = _schedule.Progress(Step, Seconds())) < 1)
        {
            if (cancel.IsCancellationRequested)
            {
                Save(Seconds());
                cancel.ThrowIfCancellationRequested();
            }

            long step = Step;
            double rate = _schedule.RateAt(step, Progress);
            _pool.Run(
                _schedule.Parts,
                (worker, part) =>
                {
                    using DisposeScope scope = NewDisposeScope();
                    Tensor value = loss(worker, step, part);
                    losses[part] = value.item<float>();
                    _parameters.Gradient(value, _gradients[part]);
                }
            );
            double mean = losses.Average();
            _recent.Enqueue(mean);
            if (_recent.Count > 8)
                _recent.Dequeue();
            if (!double.IsFinite(mean) || !double.IsFinite(_optimiser.Step(_gradients, step, rate)))
                throw new TrainingDivergedException(_name, step, _recent);
            Step++;
            sum += mean;
            bool measureNow = clock.Elapsed.TotalMinutes - measuredAt >= _options.SampleMinutes;
            if (Step - logged >= _options.LogEvery || measureNow)
            {
                double held = double.NaN;
                if (measureNow)
                {
                    _parameters.With(_optimiser.Average, () => held = measure(Step));
                    measuredAt = clock.Elapsed.TotalMinutes;
                }

                Report(log, sum / (Step - logged), held, rate, Seconds());
                logged = Step;
                sum = 0;
            }

            if (clock.Elapsed.TotalSeconds >= saveAt)
            {
                Save(Seconds());
                saveAt = clock.Elapsed.TotalSeconds + _options.CheckpointSeconds;
            }
        }

        Save(Seconds());
        double last = double.NaN;
        _parameters.With(_optimiser.Average, () => last = measure(Step));
        Report(log, Step > logged ? sum / (Step - logged) : double.NaN, last, 0, Seconds());
    }

    /// <summary>Permanently replaces the trained weights by the averaged ones.</summary>
    public void AdoptAverage()
    {
        using IDisposable grad = no_grad();
        _parameters.Values.copy_(_optimiser.Average);
    }

    public void Dispose()
    {
        foreach (Tensor gradient in _gradients)
            gradient.Dispose();
        _optimiser.Dispose();
    }

    /// <summary>Starts the log, or drops the rows that an interrupted run wrote after its last checkpoint, because those steps are repeated.</summary>
    private void StartLog(string log)
    {
        const string Columns = "step,samples,loss,held_out,rate,seconds";
        string[] rows = File.Exists(log) ? File.ReadAllLines(log) : [];
        IEnumerable<string> kept = rows.Skip(1)
            .Where(row =>
                row.Count(c => c == ',') == 5
                && long.TryParse(row.AsSpan(0, row.IndexOf(',', StringComparison.Ordinal)), NumberStyles.None, CultureInfo.InvariantCulture, out long step)
                && step <= Step
            );
        WholeFile.Write(log, System.Text.Encoding.UTF8.GetBytes(string.Concat(kept.Prepend(Columns).Select(row => row + "\n"))));
    }

    private void Report(string log, double loss, double held, double rate, double seconds)
    {
        File.AppendAllText(
            log,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Step},{Step * _schedule.Batch},{loss:G6},{(double.IsNaN(held) ? "" : held.ToString("G6", CultureInfo.InvariantCulture))},{rate:G4},"
                    + $"{seconds:F0}\n"
            )
        );
        _options.Progress?.Report(
            new TrainingProgress(
                _name,
                Step,
                Progress,
                loss,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{_name}: step {Step}, {100 * Progress:F1} %, loss "
                        + $"{loss:G5}{(double.IsNaN(held) ? "" : FormattableString.Invariant($", held out {held:G5}"))}, {seconds:F0} s"
                )
            )
        );
    }

    private Dictionary<string, Tensor> Vectors() =>
        new()
        {
            ["values"] = _parameters.Values,
            ["first"] = _optimiser.First,
            ["second"] = _optimiser.Second,
            ["average"] = _optimiser.Average,
        };

    private void Save(double seconds) =>
        TrainingCheckpoint.Save(_checkpoint, new Dictionary<string, double> { ["step"] = Step, ["seconds"] = seconds }, Vectors(), keepPrevious: true);
}
