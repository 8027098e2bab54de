using NullTextResearch.Inversion;
using Spectre.Console;

namespace NullTextResearch.Cli.Running;

/// <summary>Progress of long work.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">How much of it is done.</param>
/// <param name="Of">The total, in the same unit.</param>
/// <param name="Where">The same in words, such as <c>step 3 of 50</c>.</param>
internal sealed record WorkProgress(string Stage, double Done, double Of, string Where)
{
    /// <summary>Progress of an inversion.</summary>
    public static WorkProgress From(InversionProgress p) => new(p.Stage, p.Step, p.Of, FormattableString.Invariant($"step {p.Step} of {p.Of}") + Loss(p));

    /// <summary>The loss in words, or nothing.</summary>
    public static string Loss(InversionProgress p) => p.Loss is { } loss ? FormattableString.Invariant($", loss {loss:0.0e+00}") : "";
}

/// <summary>One bar per stage.</summary>
internal sealed class BarProgress(ProgressContext bars) : IProgress<WorkProgress>
{
    private string? _stage;
    private ProgressTask? _bar;

    public void Report(WorkProgress value)
    {
        if (_bar is null || _stage != value.Stage)
        {
            if (_bar is not null)
                _bar.Value = _bar.MaxValue;
            _stage = value.Stage;
            _bar = bars.AddTask(Terminal.Plain(value.Stage), maxValue: value.Of);
        }

        _bar.MaxValue = value.Of;
        _bar.Value = value.Done;
        _bar.Description = Terminal.Plain($"{value.Stage}: {value.Where}");
    }
}

/// <summary>Prints a line now and then, and one at the end of each stage: what is done, the progress, and the time taken and left.</summary>
internal sealed class LineProgress(TextWriter writer, TimeProvider? clock = null) : IProgress<WorkProgress>
{
    // For work that repeats its stages, only the first ends are reported.
    private const int MostEnds = 20;
    private readonly LinePace _pace = new(clock);
    private string? _stage;
    private double _first;
    private TimeSpan _started;
    private bool _ended;
    private int _ends;

    public void Report(WorkProgress value)
    {
        if (_stage != value.Stage)
        {
            _stage = value.Stage;
            _first = value.Done;
            _started = _pace.Elapsed;
            _ended = false;
        }

        bool last = value.Done >= value.Of;
        bool tellEnd = last && !_ended && _ends < MostEnds;
        if (!tellEnd && (_ended || !_pace.IsDue()))
            return;
        if (last)
        {
            _ended = true;
            _ends++;
        }

        TimeSpan elapsed = _pace.Elapsed;
        double done = value.Done - _first;
        string left = last || done <= 0 ? "" : $", about {Terminal.Time((elapsed - _started) / done * (value.Of - value.Done))} left";
        writer.WriteLine($"{value.Stage}: {value.Where}, {Terminal.Time(elapsed)} so far{left}");
    }
}
