using NullTextResearch.Images;
using NullTextResearch.Loading;
using Spectre.Console;
using TorchSharp;

namespace NullTextResearch.Cli.Running;

/// <summary>The context of a running command: where to write, how to report, when to stop.</summary>
internal sealed class RunContext(TextWriter output, TextWriter error, CancellationToken cancel, int? threads)
{
    /// <summary>Results.</summary>
    public TextWriter Out => output;

    /// <summary>Warnings and progress.</summary>
    public TextWriter Error => error;

    /// <summary>Set by Ctrl-C.</summary>
    public CancellationToken Cancel => cancel;

    /// <summary>Requested threads; null if none were requested.</summary>
    public int? Asked { get; } = threads;

    /// <summary>Threads inside one operation: those requested, else what <see cref="Choose"/> chose for the model; 1 before that.</summary>
    public int Threads { get; private set; } = threads ?? 1;

    /// <summary>Total threads for independent work: those requested, else one per processor.</summary>
    public int AllThreads => Asked ?? Environment.ProcessorCount;

    /// <summary>What is kept if the work is cancelled now, for the message; null if nothing is.</summary>
    public string? Kept { get; set; }

    /// <summary>Sets libtorch's number of threads, which is a setting of the calling thread.</summary>
    public void ApplyThreads()
    {
        Native.PrepareThread();
        torch.set_num_threads(Threads);
    }

    /// <summary>Sets the number of threads that suits a model and an image size, unless one was requested.</summary>
    public void Choose(ModelSource source, PixelSize size)
    {
        Threads = Asked ?? ProcessorThreads.For(source, size);
        ApplyThreads();
    }

    /// <summary>Runs work with a progress bar, or with occasional lines where the output cannot show one.</summary>
    public T Track<T>(Func<IProgress<WorkProgress>, T> work)
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

    /// <summary>As <see cref="Track{T}"/>, without a result.</summary>
    public void Track(Action<IProgress<WorkProgress>> work) =>
        Track<int>(progress =>
        {
            work(progress);
            return 0;
        });
}
