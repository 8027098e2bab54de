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

    /// <summary>Runs work under a progress bar, or with a line now and then where the output cannot show one.</summary>
    public T TrackWork<T>(Func<IProgress<WorkProgress>, T> work)
    {
        if (!Terminal.ShowsBars)
            return work(new LineProgress(error));
        return Terminal
            .Drawing()
            .Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(bars =>
            {
                ApplyThreads();
                return work(new BarProgress(bars));
            });
    }

    /// <summary>As <see cref="TrackWork{T}"/>, for an inversion, an edit or sampling.</summary>
    public T Track<T>(Func<IProgress<InversionProgress>, T> work) => TrackWork(progress => work(new Steps(progress)));

    /// <summary>As <see cref="Track{T}"/>, without a result.</summary>
    public void Track(Action<IProgress<InversionProgress>> work) =>
        Track<int>(progress =>
        {
            work(progress);
            return 0;
        });

    private sealed class Steps(IProgress<WorkProgress> progress) : IProgress<InversionProgress>
    {
        public void Report(InversionProgress value) => progress.Report(WorkProgress.From(value));
    }
}
