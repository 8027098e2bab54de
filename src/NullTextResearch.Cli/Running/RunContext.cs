using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using Spectre.Console;
using TorchSharp;

namespace NullTextResearch.Cli.Running;

/// <summary>What a running command is given: where to write, how to report, when to stop.</summary>
internal sealed class RunContext(TextWriter output, TextWriter error, CancellationToken cancel, int? threads)
{
    /// <summary>Results.</summary>
    public TextWriter Out => output;

    /// <summary>Warnings and progress.</summary>
    public TextWriter Error => error;

    /// <summary>Set by Ctrl-C.</summary>
    public CancellationToken Cancel => cancel;

    /// <summary>Threads that were asked for; null if none were.</summary>
    public int? Asked { get; } = threads;

    /// <summary>Threads inside one operation: those asked for, else what <see cref="Choose"/> found right for the model, and 1 before.</summary>
    public int Threads { get; private set; } = threads ?? 1;

    /// <summary>Threads that independent work may have in all: those asked for, else one a processor.</summary>
    public int AllThreads => Asked ?? Environment.ProcessorCount;

    /// <summary>What remains if the work is cancelled now, for the message; null if nothing does.</summary>
    public string? Kept { get; set; }

    /// <summary>Sets libtorch's threads; they are a setting of the calling thread.</summary>
    public void ApplyThreads()
    {
        Native.PrepareThread();
        torch.set_num_threads(Threads);
    }

    /// <summary>Gives libtorch the threads that suit a model and a size of images, unless a number was asked for.</summary>
    public void Choose(ModelSource source, PixelSize size)
    {
        Threads = Asked ?? ProcessorThreads.For(source, size);
        ApplyThreads();
    }

    /// <summary>Runs work under a progress bar, or with a line now and then where the output is no terminal.</summary>
    public T Track<T>(Func<IProgress<InversionProgress>, T> work)
    {
        if (Console.IsErrorRedirected) return work(new PlainProgress(error));
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(bars =>
            {
                ApplyThreads();
                return work(new BarProgress(bars));
            });
    }

    /// <summary>As <see cref="Track{T}"/>, without a result.</summary>
    public void Track(Action<IProgress<InversionProgress>> work) => Track<int>(progress =>
    {
        work(progress);
        return 0;
    });

    private static string Note(InversionProgress p) => p.Loss is { } loss ? string.Create(CultureInfo.InvariantCulture, $", loss {loss:0.0e+00}") : "";

    /// <summary>One bar per stage.</summary>
    private sealed class BarProgress(ProgressContext bars) : IProgress<InversionProgress>
    {
        private string? _stage;
        private ProgressTask? _bar;

        public void Report(InversionProgress value)
        {
            if (_bar is null || _stage != value.Stage)
            {
                if (_bar is not null) _bar.Value = _bar.MaxValue;
                _stage = value.Stage;
                _bar = bars.AddTask(Markup.Escape(value.Stage), maxValue: value.Of);
            }

            _bar.MaxValue = value.Of;
            _bar.Value = value.Step;
            _bar.Description = Markup.Escape($"{value.Stage}{Note(value)}");
        }
    }

    /// <summary>A line every few seconds, and one at the end of each stage.</summary>
    private sealed class PlainProgress(TextWriter writer) : IProgress<InversionProgress>
    {
        private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
        private readonly TimeProvider _clock = TimeProvider.System;
        private string? _stage;
        private int _firstStep;
        private long _started;
        private long _written;

        public void Report(InversionProgress value)
        {
            if (_stage != value.Stage)
            {
                _stage = value.Stage;
                _firstStep = Math.Max(0, value.InnerStep > 0 ? value.Step : value.Step - 1);
                _started = _written = _clock.GetTimestamp();
            }

            bool last = value.Step >= value.Of;
            if (!last && _clock.GetElapsedTime(_written) < Interval) return;
            _written = _clock.GetTimestamp();
            int done = value.Step - _firstStep;
            string left = "";
            if (!last && done > 0)
            {
                TimeSpan remaining = _clock.GetElapsedTime(_started) / done * (value.Of - value.Step);
                left = string.Create(CultureInfo.InvariantCulture, $", about {remaining:hh\\:mm\\:ss} left");
            }

            writer.WriteLine($"{value.Stage}: step {value.Step} of {value.Of}{Note(value)}{left}");
        }
    }
}
