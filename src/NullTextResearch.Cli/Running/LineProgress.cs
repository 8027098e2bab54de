namespace NullTextResearch.Cli.Running;

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

        bool last = value.Total > 0 && value.Done >= value.Total;
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
        string left = last || done <= 0 || value.Total <= 0 ? "" : $", about {Terminal.Time((elapsed - _started) / done * (value.Total - value.Done))} left";
        writer.WriteLine($"{value.Stage}: {value.Where}, {Terminal.Time(elapsed)} so far{left}");
    }
}
