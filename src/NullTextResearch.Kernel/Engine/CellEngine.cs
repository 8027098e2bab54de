using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// A session of C# and other languages: runs cells one after the other on its own thread, keeps their variables, and can be interrupted. It does not depend
/// on Jupyter: the kernel and headless runs both use it.
/// </summary>
/// <remarks>
/// While an engine exists, the console of the process is redirected to the cells, so there should be only one engine at a time.
/// </remarks>
public sealed class CellEngine : IDisposable
{
    private readonly EngineOptions _options;
    private readonly BlockingCollection<Action> _work = [];
    private readonly ReferenceCatalog _references = new();
    private readonly NuGetRestore _packages = new();
    private readonly Traceback _traceback = new();
    private readonly IDisposable _attachment;
    private readonly (TextWriter Out, TextWriter Error, TextReader In) _console;
    private readonly TextReader _input;
    private readonly CSharpLanguage _csharp;
    private readonly CellLanguages _languages;
    private CellContext? _running;
    private volatile bool _threadIsSpent;
    private bool _disposed;

    /// <summary>Starts the thread and warms up the compiler on it, so that the first cell starts sooner.</summary>
    public CellEngine(EngineOptions? options = null)
    {
        _options = options ?? new EngineOptions();
        LanguageSession session = new(_references, _traceback);
        _csharp = new CSharpLanguage(session);
        _languages = new CellLanguages(session, [_csharp, .. DisplayLanguage.All(_options.DrawDiagram)], _options.Languages);
        NativeProbing.Start();
        _console = (Console.Out, Console.Error, Console.In);
        Console.SetOut(TextWriter.Synchronized(new CellConsole(false, _console.Out, _options.TakesStrayText)));
        Console.SetError(TextWriter.Synchronized(new CellConsole(true, _console.Error, _options.TakesStrayText)));
        Console.SetIn(new CellInput(KernelHost.Instance));
        _input = Console.In;
        _attachment = Notebook.Attach(KernelHost.Instance);
        _work.Add(_csharp.WarmUp);
        new Thread(KeepThread) { Name = "Cells' keeper", IsBackground = true }.Start();
    }

    /// <summary>Number of the last counted cell.</summary>
    public int ExecutionCount { get; private set; }

    /// <summary>Queues a cell.</summary>
    /// <param name="request">The cell.</param>
    /// <param name="output">
    /// Called for every output, in order, from several threads but never from two at once. Code that the cell left running may call it even after the task
    /// has ended.
    /// </param>
    /// <returns>The outcome; errors of the cell are results, not exceptions.</returns>
    public Task<CellResult> RunAsync(CellRequest request, Action<CellOutput> output)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(output);
        return Enqueue(() => Execute(request, output));
    }

    /// <summary>Queues an answer to a displayed element; it can be stopped like a cell.</summary>
    internal Task<CellResult> AnswerAsync(LiveService service, Action<JsonObject> send, Action<CellOutput> output) =>
        Enqueue(() => Execute(new CellRequest("") { Silent = true, Name = "live view" }, output, cell => service.Answer(send, cell.CancelSeenByCell)));

    /// <summary>
    /// Stops the running cell: first through its cancellation token if it reads it, else at its next loop, method or output, or while it waits. Variables
    /// and tensors of earlier cells are kept. A second call, at least a second later, ends the thread by force, which the process may not survive. Returns
    /// immediately.
    /// </summary>
    public InterruptEffect Interrupt() => Volatile.Read(ref _running)?.Interrupt() ?? InterruptEffect.NothingRuns;

    /// <summary>Completions at a position of a cell.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="position">Index into <paramref name="code"/> in UTF-16 units.</param>
    public Task<Completions> CompleteAsync(string code, int position) =>
        Enqueue(() =>
        {
            position = Math.Clamp(position, 0, code.Length);
            if (LanguageService.Directive(code, position) is { } directives)
                return directives;
            (string language, string text) = CellPlan.At(code, position, _languages.Names);
            return _languages.Find(language) is { } found ? found.Complete(text, position) : new Completions(position, position, []);
        });

    /// <summary>Signature and documentation of the symbol at a position of a cell, or null if there is none.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="position">Index into <paramref name="code"/> in UTF-16 units.</param>
    public Task<string?> InspectAsync(string code, int position) =>
        Enqueue(() =>
        {
            position = Math.Clamp(position, 0, code.Length);
            (string language, string text) = CellPlan.At(code, position, _languages.Names);
            return _languages.Find(language)?.Inspect(text, position);
        });

    /// <summary>Whether a cell is complete, needs more lines, or is invalid, according to the language of its last part.</summary>
    public Task<Completeness> IsCompleteAsync(string code) =>
        Enqueue(() =>
        {
            try
            {
                return CellPlan.Parse(code, _languages.Names).LastOrDefault() switch
                {
                    CodePart { Language: CellPlan.CSharp } => LanguageService.IsComplete(code),
                    CodePart last when _languages.Find(last.Language) is { } language => language.IsComplete(last.Code),
                    _ => new Completeness("complete", ""),
                };
            }
            catch (CellException e)
            {
                // Running the cell will report what is wrong with the directive.
                return new Completeness(e.Name == CodeNesting.ErrorName ? "invalid" : "complete", "");
            }
        });

    /// <summary>Whether cells of a language run here, given a name that notebooks use for it or the name of a connected kernel.</summary>
    public bool Runs(string language) => _languages.Names.TryGetValue(language, out string? name) && _languages.Has(name);

    /// <summary>Names, types and values of the session's C# variables; the latest of each name.</summary>
    public IReadOnlyList<SessionVariable> Variables() => [.. _csharp.SessionVariables];

    /// <summary>The running cell or null, for checking whether it is still the same.</summary>
    internal object? Running => Volatile.Read(ref _running);

    /// <summary>Accepts no more cells and restores the console. A running cell is interrupted but not waited for.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _work.CompleteAdding();
        Interrupt();
        Console.SetOut(_console.Out);
        Console.SetError(_console.Error);
        Console.SetIn(_console.In);
        _attachment.Dispose();
        _languages.Dispose();
    }

    // A thread whose cell was stopped is replaced; this discards whatever the stopped code left on it, such as a dispose scope or grad mode. After a forced
    // stop there is a further reason: loops without calls could not be stopped on it again, nor on a thread that it starts (only on one started from here)
    // [measured on .NET 10.0.12, Linux].
    private void KeepThread()
    {
        do
        {
            _threadIsSpent = false;
            // Generous stack: user code recurses, and so does the compiler on long expressions.
            Thread thread = new(Work, 64 * 1024 * 1024) { Name = "Cells", IsBackground = true };
            thread.Start();
            thread.Join();
        } while (_threadIsSpent);
    }

    private void Work()
    {
        _options.Prepare?.Invoke();
        foreach (Action item in _work.GetConsumingEnumerable())
        {
            item();
            if (_threadIsSpent)
                return;
        }
    }

    private Task<T> Enqueue<T>(Func<T> work)
    {
        // Continuations run elsewhere: the caller's code must not run on the cells' thread.
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                // The caller gets the exception; the thread continues.
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private CellResult Execute(CellRequest request, Action<CellOutput> output, Action<CellContext>? work = null)
    {
        Stopwatch clock = Stopwatch.StartNew();
        int count = request.Silent ? ExecutionCount : ++ExecutionCount;
        string name = request.Name ?? $"Cell [{count}]";
        using CellContext cell = new(request, _options, output);
        Volatile.Write(ref _running, cell);
        cell.Enter();
        // Setting the console's encoding restores the process's own input, and a cell would wait for it forever.
        if (!ReferenceEquals(Console.In, _input))
            Console.SetIn(_input);
        ErrorOutput? error = null;
        CellStatus status = CellStatus.Ok;
        try
        {
            if (work is null)
                RunParts(request.Code, name, count, cell, clock);
            else
                cell.RunStoppable(() => work(cell));
        }
        catch (CellException e)
        {
            error = Traceback.Of(e);
        }
        catch (CellFailedException e)
        {
            error = e.Output;
        }
        catch (OperationCanceledException e) when (cell.IsInterrupted)
        {
            status = CellStatus.Interrupted;
            error = _traceback.Interrupted(e.InnerException ?? e);
        }
        catch (Exception e)
        {
            // User code can throw past the script; the exception is shown as the cell's error.
            error = _traceback.Of(e);
        }
        finally
        {
            Volatile.Write(ref _running, null);
            CellContext.Leave();
            if (cell.IsStopped)
                _threadIsSpent = true;
        }

        if (cell.IsForced)
            cell.Write(true, "The cell was ended by force. A lock that it held may never be released: if a later cell hangs, restart the kernel.\n");

        if (error is not null)
        {
            if (status == CellStatus.Ok)
                status = CellStatus.Error;
            cell.Send(error);
        }

        cell.Flush();
        return new CellResult(status, count, error, cell.Result, clock.Elapsed);
    }

    // Count is null in an imported notebook: its results are shown, but they are not the result of the cell.
    private void RunParts(string code, string name, int? count, CellContext cell, Stopwatch clock)
    {
        _traceback.Remember(name, code);
        IReadOnlyList<CellPart> parts = CellPlan.Parse(code, _languages.Names);
        if (References([.. parts.OfType<DirectivePart>().Where(p => p.Name is "r" or "i")], cell) is { Count: > 0 } added)
            _languages.AddReferences(added);
        bool time = parts.Any(p => p is DirectivePart { Name: "time" });
        CellPart? last = parts.LastOrDefault(p => p is not DirectivePart { Name: "r" or "i" or "time" });
        foreach (CellPart part in parts)
        {
            switch (part)
            {
                case CodePart source:
                    _languages.Require(source.Language, source.Line).Run(new CodeRun(source.Code, name, part == last, count, cell));
                    break;
                case DirectivePart directive:
                    Direct(directive, cell);
                    break;
            }
        }

        if (time)
            KernelHost.Instance.Display(string.Create(CultureInfo.InvariantCulture, $"Wall time: {clock.Elapsed.TotalMilliseconds:0.0} ms"));
    }

    private List<string> References(IReadOnlyList<DirectivePart> directives, CellContext cell)
    {
        List<string> added = [];
        List<PackageRequest> packages = [];
        foreach (DirectivePart directive in directives)
        {
            string argument = directive.Argument.Trim();
            bool package = argument.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase);
            if (directive.Name == "i")
            {
                if (!package)
                    throw new CellException(
                        "DirectiveError",
                        $"Line {directive.Line}: #i takes a package source: #i \"nuget: https://...\" or #i \"nuget: /folder\"."
                    );
                _packages.AddSource(argument["nuget:".Length..].Trim());
            }
            else if (package)
            {
                string[] words = [.. argument["nuget:".Length..].Split(',').Select(w => w.Trim())];
                if (words[0].Length == 0)
                    throw new CellException("DirectiveError", $"Line {directive.Line}: #r needs a package name: #r \"nuget: Name, Version\".");
                packages.Add(new PackageRequest(words[0], words.Length > 1 && words[1].Length > 0 ? words[1] : "*"));
            }
            else
            {
                PortableExecutableReference? found = _references.Find(argument, Folders(cell), out string? notice);
                if (found is null)
                    throw new CellException(
                        "DirectiveError",
                        $"Line {directive.Line}: there is no '{argument}' in {string.Join(" or ", Folders(cell).Distinct())}, nor is it part of the "
                            + "kernel. Build the project first; for packages use #r \"nuget: Name, Version\"."
                    );
                if (notice is not null)
                    Console.Error.WriteLine(notice);
                added.Add(found.FilePath!);
            }
        }

        if (packages.Count > 0)
        {
            PackageFiles files = _packages.Restore(packages, cell.Cancel);
            foreach (string folder in files.NativeFolders)
                NativeProbing.Add(folder);
            foreach (string path in files.Assemblies)
            {
                string name = Path.GetFileNameWithoutExtension(path);
                if (_references.IsOwn(name))
                {
                    // The types of two copies in one process would be incompatible.
                    if (packages.Any(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase)))
                        Console.Error.WriteLine($"{name} is part of this kernel, which uses its own copy.");
                    continue;
                }

                added.Add(_references.Add(name, path).FilePath!);
            }

            IEnumerable<string> asked = files.Packages.Where(p => packages.Any(q => p.StartsWith(q.Name + "/", StringComparison.OrdinalIgnoreCase)));
            KernelHost.Instance.Display($"Installed packages: {string.Join(", ", asked.Select(p => p.Replace('/', ' ')))}");
        }

        return added;
    }

    // The notebook's folder first: Jupyter starts the kernel there.
    private static IEnumerable<string> Folders(CellContext cell) => [Environment.CurrentDirectory, .. cell.Importing];

    private void Direct(DirectivePart directive, CellContext cell)
    {
        switch (directive.Name)
        {
            case "import":
                Import(directive, cell);
                break;
            case "who":
                KernelHost.Instance.Display(_languages.Who());
                break;
            case "whos":
                KernelHost.Instance.Display(
                    _languages
                        .Variables()
                        .Select(v => new
                        {
                            v.Variable.Name,
                            v.Variable.Type,
                            v.Variable.Value,
                            v.Language,
                        })
                        .ToArray()
                );
                break;
            case "share":
                Sharing.Share(directive, _languages);
                break;
            case "set":
                Sharing.Set(directive, _languages);
                break;
            case "connect":
                Connect(directive, cell);
                break;
            case "lsmagic":
                KernelHost.Instance.Display(string.Join('\n', CellPlan.Directives.Select(d => $"{d.Name, -60} {d.Use}")));
                break;
            case "about":
                KernelHost.Instance.Display($"{KernelHost.Instance.Name}, C# 14, .NET {Environment.Version}, process {Environment.ProcessId}");
                break;
        }
    }

    private void Connect(DirectivePart directive, CellContext cell)
    {
        DirectiveOptions options = DirectiveOptions.Read(directive.Argument, directive.Name, directive.Line);
        string kinds = _options.Connectors.Count == 0 ? "nothing (this program has no connectors)" : string.Join(", ", _options.Connectors.Select(c => c.Kind));
        if (options.Words is not [var kind])
            throw options.Fault($"needs one word for what to connect: {kinds}. For example: #!connect jupyter --kernel-name python --kernel-spec python3");
        if (_options.Connectors.FirstOrDefault(c => c.Kind == kind) is not { } connector)
            throw options.Fault($"cannot connect to '{kind}'; available: {kinds}.");
        string name = options.Require("kernel-name");
        if (CellPlan.Languages.ContainsKey(name))
            throw options.Fault($"cannot use the name '{name}': it is a language of this kernel. Choose another one with --kernel-name.");
        _languages.Add(name, connector.Connect(name, options, cell));
    }

    // Runs at its place in the cell, and again on every call. Unlike in .NET Interactive, the first error ends the import: later cells depend on earlier ones.
    private void Import(DirectivePart directive, CellContext cell)
    {
        if (directive.Argument.Length == 0)
            throw new CellException("DirectiveError", $"Line {directive.Line}: #!import needs a file: a notebook (.ipynb, .dib) or a script (.cs, .csx).");
        string? path = Folders(cell).Select(f => Path.GetFullPath(directive.Argument, f)).FirstOrDefault(File.Exists);
        if (path is null)
            throw new CellException(
                "DirectiveError",
                $"Line {directive.Line}: there is no file '{directive.Argument}' in {string.Join(" or ", Folders(cell).Distinct())}."
            );
        if (cell.Importing.Count >= 20)
            throw new CellException("DirectiveError", $"{path} imports itself through other files: {string.Join(" < ", cell.Importing.Take(3))} ...");
        NotebookDocument document;
        try
        {
            document = NotebookDocument.Load(path);
        }
        catch (IOException e)
        {
            throw new CellException("DirectiveError", e.Message);
        }

        cell.Importing.Push(Path.GetDirectoryName(path)!);
        try
        {
            int number = 0;
            foreach (NotebookCell part in document.Cells)
            {
                number++;
                if (part.Kind != CellKind.Code)
                    continue;
                string name = document.Cells.Count == 1 ? Path.GetFileName(path) : $"{Path.GetFileName(path)} [{number}]";
                if (!Runs(part.Language))
                    throw new CellException("DirectiveError", $"{name} is written in '{part.Language}', which this kernel does not run.");
                RunParts(part.ToSubmission(), name, null, cell, Stopwatch.StartNew());
            }
        }
        finally
        {
            cell.Importing.Pop();
        }
    }
}
