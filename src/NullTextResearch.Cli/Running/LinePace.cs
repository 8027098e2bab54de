namespace NullTextResearch.Cli.Running;

/// <summary>When a log gets its next line: every few seconds at first, then less and less often, so that a week of work is about a hundred lines.</summary>
internal sealed class LinePace(TimeProvider? clock = null)
{
    private const double Growth = 0.1;
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(5);
    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly long _started = (clock ?? TimeProvider.System).GetTimestamp();
    private TimeSpan _last;

    /// <summary>Time since the work began.</summary>
    public TimeSpan Elapsed => _clock.GetElapsedTime(_started);

    /// <summary>Whether a line is due; if so, it counts as written.</summary>
    public bool IsDue()
    {
        TimeSpan now = Elapsed,
            wait = _last * Growth;
        if (now - _last < (wait > Least ? wait : Least))
            return false;
        _last = now;
        return true;
    }
}
