using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using NullTextResearch.Cli.Running;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Running;

namespace NullTextResearch.Cli.Commands;

/// <summary><c>nulltext notebook run</c>: runs notebooks from top to bottom, without Jupyter.</summary>
internal static class NotebookRunCommand
{
    public static Command Create()
    {
        Argument<string[]> files = new("files")
        {
            Description = "Notebooks (.ipynb, .dib), folders of notebooks, or 'all' for those in notebooks/, else in this folder.",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<string[]> values = new("--parameter", "-p") { Description = "name=value for the cell tagged 'parameters'; can be repeated." };
        Option<string?> output = new("--out") { Description = "Folder for the notebooks with their outputs (default: overwrite the files)." };
        Option<bool> html = new("--html") { Description = "Also write a self-contained web page next to each." };
        Option<bool> lenient = new("--ignore-unknown")
        {
            Description = "Ignore values for parameters that a notebook does not have, for runs of many notebooks.",
        };
        Command command = new("run", "Run notebooks without Jupyter and write their outputs; exits with an error if a cell fails.")
        {
            files,
            values,
            output,
            html,
            lenient,
        };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                string[] notebooks = [.. parsed.GetValue(files)!.SelectMany(Find).Distinct()];
                string[] given = parsed.GetValue(values) ?? [];
                string? folder = parsed.GetValue(output);
                return notebooks is [var only]
                    ? RunOne(only, given, folder, parsed.GetValue(html), parsed.GetValue(lenient), context)
                    : RunEach(notebooks, given, folder, parsed.GetValue(html), context);
            }
        );
        return command.WithExamples("nulltext notebook run notebooks/00-quickstart.ipynb --html", "nulltext notebook run all -p steps=10 --out outputs");
    }

    private static IEnumerable<string> Find(string word)
    {
        string? folder =
            Directory.Exists(word) ? word
            : word != "all" || File.Exists(word) ? null
            : Directory.Exists("notebooks") ? "notebooks"
            : ".";
        if (folder is null)
            return File.Exists(word)
                ? [Path.GetFullPath(word)]
                : throw new CommandException($"there is no notebook '{word}'. Give a file, a folder, or 'all'.");
        string[] found = [.. Directory.GetFiles(folder, "*.ipynb").Select(Path.GetFullPath).Order(StringComparer.Ordinal)];
        return found.Length > 0 ? found : throw new CommandException($"there is no .ipynb file in {Path.GetFullPath(folder)}.");
    }

    // One process per notebook: what a session's cells load stays loaded, and no notebook may depend on another's state.
    private static int RunEach(string[] notebooks, string[] given, string? folder, bool html, RunContext context)
    {
        // Checked before the first hour of work, not after it.
        HashSet<string> known = [.. notebooks.SelectMany(n => NotebookParameters.Names(NotebookDocument.Load(n)))];
        foreach ((string name, _) in given.Select(Split))
        {
            if (!known.Contains(name))
                throw new UsageException(
                    $"none of the notebooks has a parameter '{name}'. They have: {string.Join(", ", known.Order(StringComparer.Ordinal))}."
                );
        }

        int failed = 0;
        foreach ((string notebook, int at) in notebooks.Select((n, i) => (n, i)))
        {
            context.Cancel.ThrowIfCancellationRequested();
            context.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"notebook {at + 1} of {notebooks.Length}: {Path.GetFileName(notebook)}"));
            ProcessStartInfo start = new(Environment.ProcessPath!);
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
                start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "nulltext.dll"));
            foreach (
                string word in (string[])
                    [
                        "notebook",
                        "run",
                        notebook,
                        "--ignore-unknown",
                        .. context.Asked is { } asked ? (string[])["--threads", asked.ToString(CultureInfo.InvariantCulture)] : [],
                    ]
            )
                start.ArgumentList.Add(word);
            foreach (string value in given)
            {
                start.ArgumentList.Add("-p");
                start.ArgumentList.Add(value);
            }

            if (folder is not null)
            {
                start.ArgumentList.Add("--out");
                start.ArgumentList.Add(folder);
            }

            if (html)
                start.ArgumentList.Add("--html");
            using Process process = Process.Start(start) ?? throw new CommandException("this program could not be started again.");
            process.WaitForExit();
            if (process.ExitCode == CommandRunner.Cancelled)
                return CommandRunner.Cancelled;
            if (process.ExitCode != CommandRunner.Done)
                failed++;
        }

        context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{notebooks.Length - failed} of {notebooks.Length} notebooks completed."));
        return failed == 0 ? CommandRunner.Done : CommandRunner.Failed;
    }

    private static int RunOne(string path, string[] given, string? folder, bool html, bool lenient, RunContext context)
    {
        NotebookDocument document = NotebookDocument.Load(path);
        IReadOnlyList<string> names = NotebookParameters.Names(document);
        (string Name, string Value)[] values = [.. given.Select(Split).Where(v => !lenient || names.Contains(v.Name))];
        try
        {
            document = NotebookParameters.Inject(document, values);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{Path.GetFileName(path)}: {e.Message}");
        }

        string name = Path.GetFileName(path);
        string target = Path.Combine(Path.GetFullPath(folder ?? Path.GetDirectoryName(path)!), Path.ChangeExtension(name, ".ipynb"));
        // Shows that the file can be written before the work starts.
        using OutputLock place = OutputLock.OnFile(target);
        int last = document.Cells.Select((c, i) => c.Kind == CellKind.Code ? i + 1 : 0).DefaultIfEmpty().Max();
        // As Jupyter does: relative paths in cells are relative to the notebook.
        string here = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Path.GetDirectoryName(path)!;
        NotebookRun run;
        Stopwatch clock = Stopwatch.StartNew();
        try
        {
            run = NotebookRunner
                .RunAsync(
                    document,
                    KernelCommand.Options(context.Asked),
                    cell =>
                        context.Error.WriteLine(
                            string.Create(CultureInfo.InvariantCulture, $"{name}: cell {cell} of {last}, {Terminal.Time(clock.Elapsed)} so far")
                        ),
                    context.Cancel
                )
                .GetAwaiter()
                .GetResult();
        }
        finally
        {
            Environment.CurrentDirectory = here;
        }

        // Also after a failure: the outputs so far show what went wrong.
        if (run.Failure is null || folder is not null)
            run.Document.Save(target);
        if (html)
            NotebookPage.Write(run.Document, Path.ChangeExtension(target, ".html"));
        if (run.Failure is { } failure)
        {
            context.Cancel.ThrowIfCancellationRequested();
            context.Error.WriteLine($"error: {name}, cell {failure.Cell}: {failure.Error.Name}: {failure.Error.Message}");
            foreach (string line in failure.Code.Split('\n').Take(12))
                context.Error.WriteLine($"    {line}");
            return CommandRunner.Failed;
        }

        context.Out.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {run.Document.Cells.Count(c => c.ExecutionCount is not null)} cells in {run.Elapsed.TotalSeconds:0.0} s, "
                    + $"{new FileInfo(target).Length / 1e6:0.0} MB -> {target}"
            )
        );
        return CommandRunner.Done;
    }

    private static (string Name, string Value) Split(string given)
    {
        int sign = given.IndexOf('=', StringComparison.Ordinal);
        return sign > 0 ? (given[..sign].Trim(), given[(sign + 1)..].Trim()) : throw new UsageException($"-p {given}: expected name=value.");
    }
}
