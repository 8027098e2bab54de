using NullTextResearch.Hub;
using NullTextResearch.Text;
using Spectre.Console;

namespace NullTextResearch.Cli.Running;

/// <summary>Shows a download: bars on a terminal, occasional lines elsewhere.</summary>
internal static class PullReport
{
    /// <summary>Runs a download and shows its progress.</summary>
    public static T Track<T>(RunContext context, PullPlan plan, Func<IProgress<PullProgress>, T> work)
    {
        if (!Terminal.ShowsBars)
            return work(new Lines(context.Error));
        IAnsiConsole console = Terminal.Drawing();
        return console
            .Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new DownloadedColumn { Base = FileSizeBase.Decimal },
                new TransferSpeedColumn { Base = FileSizeBase.Decimal },
                new RemainingTimeColumn()
            )
            .Start(bars => work(new Bars(console, bars, plan)));
    }

    /// <summary>Prints notes only, for look-ups.</summary>
    public static IProgress<PullProgress> Notes(TextWriter writer) => new Lines(writer);

    /// <summary>How the files were checked, for the last line: it claims no check that was not done.</summary>
    public static string Checked(PullPlan plan)
    {
        HashSet<string> fetched = [.. plan.Missing.Select(f => f.Hash)],
            verified = [.. plan.Verified.Select(f => f.Hash)];
        int now = plan.Files.Count(f => fetched.Contains(f.Hash)),
            before = plan.Files.Count(f => verified.Contains(f.Hash)),
            rest = plan.Files.Count - now - before;
        List<string> parts = [];
        if (now > 0)
            parts.Add($"{now} downloaded now, checksums verified");
        if (before > 0)
            parts.Add($"{before} from the cache, checksums verified");
        if (rest > 0)
            parts.Add($"{rest} from the cache, only their sizes compared; --verify checks the checksums");
        return string.Join("; ", parts);
    }

    /// <summary>One bar per large file, and one for the total.</summary>
    private sealed class Bars : IProgress<PullProgress>
    {
        private const long Large = 10_000_000;
        private readonly IAnsiConsole _console;
        private readonly Dictionary<string, ProgressTask> _files = [];
        private readonly ProgressTask _all;

        public Bars(IAnsiConsole console, ProgressContext bars, PullPlan plan)
        {
            _console = console;
            foreach (HubFile file in plan.Missing.Where(f => f.Size >= Large))
                _files[file.Hash] = bars.AddTask(Terminal.Plain(file.Path), maxValue: file.Size);
            _all = bars.AddTask("total", maxValue: Math.Max(1, plan.Missing.Sum(f => f.Size)));
        }

        public void Report(PullProgress value)
        {
            if (value.Note is not null)
                _console.WriteLine(PrintableText.Clean(value.Note));
            if (value.File is null)
                return;
            if (_files.TryGetValue(value.File.Hash, out ProgressTask? bar))
                bar.Value = value.FileBytes;
            _all.Value = value.Bytes;
        }
    }

    /// <summary>Prints notes and, now and then, the progress.</summary>
    private sealed class Lines(TextWriter writer) : IProgress<PullProgress>
    {
        private readonly LinePace _pace = new();
        private long _first = -1;

        public void Report(PullProgress value)
        {
            if (value.Note is not null)
                writer.WriteLine(value.Note);
            if (value.Of == 0)
                return;
            if (_first < 0)
                _first = value.Bytes;
            if (!_pace.IsDue())
                return;
            long done = value.Bytes - _first;
            string left = done <= 0 ? "" : $", about {Terminal.Time(_pace.Elapsed / done * (value.Of - value.Bytes))} left";
            writer.WriteLine($"{value.Where}, {Terminal.Time(_pace.Elapsed)} so far{left}");
        }
    }
}
