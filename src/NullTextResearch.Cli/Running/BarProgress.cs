using Spectre.Console;

namespace NullTextResearch.Cli.Running;

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
            _bar = bars.AddTask(Terminal.Plain(value.Stage), maxValue: Math.Max(1, value.Total));
        }

        _bar.IsIndeterminate = value.Total <= 0;
        _bar.MaxValue = Math.Max(1, value.Total);
        _bar.Value = value.Done;
        _bar.Description = Terminal.Plain($"{value.Stage}: {value.Where}");
    }
}
