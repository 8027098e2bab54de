using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Formatting;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// A C# session: runs cells one after the other on a thread of its own, keeps their variables, and can be interrupted.
/// Knows nothing of Jupyter: the kernel and a headless run both drive it.
/// </summary>
/// <remarks>
/// The console of the process is redirected to the cells while an engine lives; so there should be one engine at a time.
/// </remarks>
public sealed class CellEngine : IDisposable
{
    // What .NET Interactive imports, so that a notebook needs the same usings in both; plus our own functions.
    private static readonly string[] Imports =
    [
        "System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq",
        "NullTextResearch.Hosting", "NullTextResearch.Kernel.CellFunctions",
    ];

    private readonly EngineOptions _options;
    private readonly BlockingCollection<Action> _work = [];
    private readonly ReferenceCatalog _references = new();
    private readonly NuGetRestore _packages = new();
    private readonly Traceback _traceback = new();
    private readonly InteractiveAssemblyLoader _loader = new();
    private readonly ScriptOptions _scriptOptions;
    private readonly IDisposable _attachment;
    private readonly (TextWriter Out, TextWriter Error, TextReader In) _console;
    private readonly Lazy<LanguageService> _language;
    private readonly DeclarationLog _declarations = new();
    private ScriptState<object>? _state;
    private CellContext? _running;
    private volatile bool _threadIsSpent;
    private bool _disposed;

    /// <summary>Starts the thread and, on it, the compiler: the first cell then waits less.</summary>
    public CellEngine(EngineOptions? options = null)
    {
        _options = options ?? new EngineOptions();
        _scriptOptions = ScriptOptions.Default
            .WithLanguageVersion(LanguageVersion.CSharp14)
            .WithAllowUnsafe(true)
            // Hot loops run at full speed; line numbers stay.
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(System.Text.Encoding.UTF8)
            .WithMetadataResolver(_references)
            .WithReferences(_references.Defaults)
            .WithImports(Imports);
        NativeProbing.Start();
        _language = new Lazy<LanguageService>(() => new LanguageService(_references, Imports, _declarations));
        _console = (Console.Out, Console.Error, Console.In);
        Console.SetOut(TextWriter.Synchronized(new CellConsole(false, _console.Out, _options.TakesStrayText)));
        Console.SetError(TextWriter.Synchronized(new CellConsole(true, _console.Error, _options.TakesStrayText)));
        Console.SetIn(new CellInput(KernelHost.Instance));
        _attachment = Notebook.Attach(KernelHost.Instance);
        _work.Add(WarmUp);
        new Thread(KeepThread) { Name = "Cells' keeper", IsBackground = true }.Start();
    }

    /// <summary>Number of the last counted cell.</summary>
    public int ExecutionCount { get; private set; }

    /// <summary>Queues a cell.</summary>
    /// <param name="request">The cell.</param>
    /// <param name="output">Called for every output, in order, from several threads but never from two at once. Also called after the task ended, by what the cell left running.</param>
    /// <returns>How it ended; errors of the cell are results, not exceptions.</returns>
    public Task<CellResult> RunAsync(CellRequest request, Action<CellOutput> output)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(output);
        return Enqueue(() => Execute(request, output));
    }

    /// <summary>Queues an answer to a shown element; it is stopped as a cell is.</summary>
    internal Task<CellResult> AnswerAsync(LiveService service, Action<JsonObject> send, Action<CellOutput> output) =>
        Enqueue(() => Execute(new CellRequest("") { Silent = true, Name = "live view" }, output, cell => service.Answer(send, cell.CancelSeenByCell)));

    /// <summary>
    /// Stops the running cell: first through its cancellation token if it reads it, else at the next loop or method of the
    /// cell, at its next output, or where it waits. Variables and tensors of earlier cells stay. A second call, a second
    /// later or more, ends the thread by force: the process may not survive it. Returns at once.
    /// </summary>
    public InterruptEffect Interrupt() => Volatile.Read(ref _running)?.Interrupt() ?? InterruptEffect.NothingRuns;

    /// <summary>What could stand at a place of a cell.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="position">Index into <paramref name="code"/> in UTF-16 units.</param>
    public Task<Completions> CompleteAsync(string code, int position) => Enqueue(() => _language.Value.Complete(code, position));

    /// <summary>What stands at a place of a cell: signature and documentation, or null.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="position">Index into <paramref name="code"/> in UTF-16 units.</param>
    public Task<string?> InspectAsync(string code, int position) => Enqueue(() => _language.Value.Inspect(code, position));

    /// <summary>Whether a cell is complete, needs more lines, or cannot be right.</summary>
    public static Completeness IsComplete(string code) => LanguageService.IsComplete(code);

    /// <summary>Names, types and values of the session's variables; the latest of each name.</summary>
    public IReadOnlyList<SessionVariable> Variables()
    {
        if (_state is not { } state) return [];
        Dictionary<string, SessionVariable> latest = new(StringComparer.Ordinal);
        foreach (ScriptVariable variable in state.Variables) latest[variable.Name] = new SessionVariable(variable.Name, variable.Type, variable.Value);
        return [.. latest.Values.OrderBy(v => v.Name, StringComparer.Ordinal)];
    }

    /// <summary>The running cell, or null: tells whether it is still the same.</summary>
    internal object? Running => Volatile.Read(ref _running);

    /// <summary>Takes no more cells and gives the console back. A cell that runs is interrupted, not waited for.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _work.CompleteAdding();
        Interrupt();
        Console.SetOut(_console.Out);
        Console.SetError(_console.Error);
        Console.SetIn(_console.In);
        _attachment.Dispose();
    }

    // A thread whose cell was stopped is replaced: whatever the stopped code left on it, such as a dispose scope or grad
    // mode, goes with it. After force more is at stake: loops without calls could not be stopped on it again, nor on a
    // thread that it starts (only on one started from here) [measured on .NET 10.0.12, Linux].
    private void KeepThread()
    {
        do
        {
            _threadIsSpent = false;
            // Generous stack: user code recurses, and so does the compiler on long expressions.
            Thread thread = new(Work, 64 * 1024 * 1024) { Name = "Cells", IsBackground = true };
            thread.Start();
            thread.Join();
        }
        while (_threadIsSpent);
    }

    private void Work()
    {
        _options.Prepare?.Invoke();
        foreach (Action item in _work.GetConsumingEnumerable())
        {
            item();
            if (_threadIsSpent) return;
        }
    }

    private Task<T> Enqueue<T>(Func<T> work)
    {
        // Continuations elsewhere: what the caller does next must not run on the cells' thread.
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                // The caller's to see; the thread goes on.
                done.SetException(e);
            }
        });
        return done.Task;
    }

    private void WarmUp()
    {
        // One real submission: compiler, emitter and loader are then compiled by the JIT.
        Script<object> script = CSharpScript.Create<object>("var __warm = 1 + 1; System.Func<int, int> __f = __x => __x; $\"{__warm}\"", _scriptOptions, null, _loader);
        _ = script.RunAsync().GetAwaiter().GetResult();
        _state = CSharpScript.Create<object>("", _scriptOptions, null, _loader).RunAsync().GetAwaiter().GetResult();
    }

    private CellResult Execute(CellRequest request, Action<CellOutput> output, Action<CellContext>? work = null)
    {
        Stopwatch clock = Stopwatch.StartNew();
        int count = request.Silent ? ExecutionCount : ++ExecutionCount;
        string name = request.Name ?? $"Cell [{count}]";
        using CellContext cell = new(request, _options, output);
        Volatile.Write(ref _running, cell);
        cell.Enter();
        ErrorOutput? error = null;
        CellStatus status = CellStatus.Ok;
        try
        {
            if (work is null) RunParts(request.Code, name, count, cell, clock);
            else cell.RunStoppable(() => work(cell));
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
            // Whatever user code managed to throw past the script: it is shown as the cell's error.
            error = _traceback.Of(e);
        }
        finally
        {
            Volatile.Write(ref _running, null);
            CellContext.Leave();
            if (cell.IsStopped) _threadIsSpent = true;
        }

        if (cell.IsForced) cell.Write(true, "The cell was ended by force. A lock that it held may be lost with it: should a later cell hang, restart the kernel.\n");

        if (error is not null)
        {
            if (status == CellStatus.Ok) status = CellStatus.Error;
            cell.Send(error);
        }

        cell.Flush();
        return new CellResult(status, count, error, cell.Result, clock.Elapsed);
    }

    // Count is null in an imported notebook: its results are shown, but they are not the result of the cell.
    private void RunParts(string code, string name, int? count, CellContext cell, Stopwatch clock)
    {
        _traceback.Remember(name, code);
        IReadOnlyList<CellPart> parts = CellPlan.Parse(code);
        ImmutableArray<MetadataReference> added = References([.. parts.OfType<DirectivePart>().Where(p => p.Name is "r" or "i")], cell);
        bool time = parts.Any(p => p is DirectivePart { Name: "time" });
        CellPart? last = parts.LastOrDefault(p => p is not DirectivePart { Name: "r" or "i" or "time" });
        foreach (CellPart part in parts)
        {
            switch (part)
            {
                case CodePart source:
                    RunCode(source.Code, name, added, part == last, count, cell);
                    added = [];
                    break;
                case TextPart text:
                    Show(text);
                    break;
                case DirectivePart directive:
                    Direct(directive, cell);
                    break;
            }
        }

        // A cell of references alone: they must reach the next cell.
        if (!added.IsEmpty) RunCode("", name, added, false, null, cell);
        if (time) KernelHost.Instance.Display(string.Create(CultureInfo.InvariantCulture, $"Wall time: {clock.Elapsed.TotalMilliseconds:0.0} ms"));
    }

    private void RunCode(string code, string name, ImmutableArray<MetadataReference> added, bool isLast, int? count, CellContext cell)
    {
        CodeNesting.RequireForCompiler(code);
        // Only what is new: the compiler carries references and imports on from cell to cell.
        ScriptOptions options = _scriptOptions.WithReferences(added).WithImports().WithFilePath(name)
            .WithSourceResolver(new ScriptFiles(Environment.CurrentDirectory));
        Script<object> script = _state!.Script.ContinueWith<object>(CheckpointWriter.Write(code), options);
        if (Errors(script).Length > 0)
        {
            // Columns of what the user wrote.
            script = _state.Script.ContinueWith<object>(code, options);
            if (Errors(script) is { Length: > 0 } errors) throw new CellFailedException(_traceback.Of(errors));
        }

        CSharpCompilation compilation = (CSharpCompilation)script.GetCompilation();
        bool hasResult = isLast && HasResult(compilation, cell.Cancel);
        ScriptState<object>? next = null;
        Exception? stopped = null;
        CellPump pump = new();
        SynchronizationContext? before = SynchronizationContext.Current;
        try
        {
            cell.RunStoppable(() =>
            {
                SynchronizationContext.SetSynchronizationContext(pump);
                // Catching all keeps the variables of a cell that fails half way.
                Task<ScriptState<object>> task = script.RunFromAsync(_state, _ => true, cell.Cancel);
                pump.RunUntil(task, cell.Stopped);
                ScriptState<object> state = task.GetAwaiter().GetResult();
                if (state.Exception is null && hasResult)
                {
                    // Formatters are user code: still here, where they can be interrupted.
                    if (count is { } number)
                    {
                        (JsonObject data, JsonObject metadata) = ValueFormatter.Format(state.ReturnValue, []);
                        cell.Send(new ResultOutput(number, data, metadata));
                    }
                    else
                    {
                        cell.Display(state.ReturnValue, []);
                    }
                }

                next = state;
            });
        }
        catch (Exception e) when (cell.IsInterrupted && e is OperationCanceledException or ThreadInterruptedException)
        {
            stopped = e;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
            pump.Dispose();
        }

        if (next is not null)
        {
            _declarations.NoteCaptures(compilation);
            ShadowedVariables.Release(_state, next, _declarations);
            _state = next;
            _declarations.Add(compilation);
        }

        if (cell.IsInterrupted && (stopped is not null || next?.Exception is not null)) throw new OperationCanceledException("Interrupted", stopped ?? next?.Exception);
        if (next?.Exception is { } thrown) throw new CellFailedException(_traceback.Of(thrown));
        // It caught what was to stop it.
        if (cell.IsStopped) throw new OperationCanceledException("Interrupted");

        ImmutableArray<Diagnostic> Errors(Script<object> of) => [.. of.Compile(cell.Cancel).Where(d => d.Severity == DiagnosticSeverity.Error)];
    }

    // A last expression without semicolon that has a value.
    private static bool HasResult(CSharpCompilation compilation, CancellationToken cancel)
    {
        SyntaxTree tree = compilation.SyntaxTrees[^1];
        if (tree.GetRoot(cancel).ChildNodes().LastOrDefault() is not GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last }) return false;
        return compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression, cancel).Type is not { SpecialType: SpecialType.System_Void };
    }

    private ImmutableArray<MetadataReference> References(IReadOnlyList<DirectivePart> directives, CellContext cell)
    {
        ImmutableArray<MetadataReference>.Builder added = ImmutableArray.CreateBuilder<MetadataReference>();
        List<PackageRequest> packages = [];
        foreach (DirectivePart directive in directives)
        {
            string argument = directive.Argument.Trim();
            bool package = argument.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase);
            if (directive.Name == "i")
            {
                if (!package) throw new CellException("DirectiveError", $"Line {directive.Line}: #i takes a package source: #i \"nuget: https://...\" or #i \"nuget: /folder\".");
                _packages.AddSource(argument["nuget:".Length..].Trim());
            }
            else if (package)
            {
                string[] words = [.. argument["nuget:".Length..].Split(',').Select(w => w.Trim())];
                if (words[0].Length == 0) throw new CellException("DirectiveError", $"Line {directive.Line}: which package? #r \"nuget: Name, Version\".");
                packages.Add(new PackageRequest(words[0], words.Length > 1 && words[1].Length > 0 ? words[1] : "*"));
            }
            else
            {
                PortableExecutableReference? found = _references.Find(argument, Folders(cell), out string? notice);
                if (found is null)
                    throw new CellException("DirectiveError", $"Line {directive.Line}: there is no '{argument}' in {string.Join(" or ", Folders(cell).Distinct())}, nor is it part of the kernel. Build the project first; for packages use #r \"nuget: Name, Version\".");
                if (notice is not null) Console.Error.WriteLine(notice);
                added.Add(found);
            }
        }

        if (packages.Count > 0)
        {
            PackageFiles files = _packages.Restore(packages, cell.Cancel);
            foreach (string folder in files.NativeFolders) NativeProbing.Add(folder);
            foreach (string path in files.Assemblies)
            {
                string name = Path.GetFileNameWithoutExtension(path);
                if (_references.IsOwn(name))
                {
                    // Two copies in one process would not know each other's types.
                    if (packages.Any(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase))) Console.Error.WriteLine($"{name} is part of this kernel, which uses its own copy.");
                    continue;
                }

                PortableExecutableReference reference = _references.Add(name, path);
                if (AssemblyIdentityOf(reference) is { } identity) _loader.RegisterDependency(identity, path);
                added.Add(reference);
            }

            KernelHost.Instance.Display($"Installed packages: {string.Join(", ", files.Packages.Where(p => packages.Any(q => p.StartsWith(q.Name + "/", StringComparison.OrdinalIgnoreCase))).Select(p => p.Replace('/', ' ')))}");
        }

        return added.ToImmutable();
    }

    private static AssemblyIdentity? AssemblyIdentityOf(PortableExecutableReference reference) =>
        CSharpCompilation.Create("identity").AddReferences(reference).GetAssemblyOrModuleSymbol(reference) is IAssemblySymbol symbol ? symbol.Identity : null;

    // The notebook's folder first: Jupyter starts the kernel there.
    private static IEnumerable<string> Folders(CellContext cell) => [Environment.CurrentDirectory, .. cell.Importing];

    private static void Show(TextPart text)
    {
        switch (text.Language)
        {
            case "html":
                KernelHost.Instance.Display(new MimeBundle(text.Text).With("text/html", text.Text));
                break;
            case "markdown":
                KernelHost.Instance.Display(new MimeBundle(text.Text).With("text/markdown", text.Text));
                break;
            default:
                // In a function of its own: a second run of the cell may declare its constants again.
                CellFunctions.Javascript($"(async () => {{\n{text.Text}\n}})();");
                break;
        }
    }

    private void Direct(DirectivePart directive, CellContext cell)
    {
        switch (directive.Name)
        {
            case "import":
                Import(directive, cell);
                break;
            case "who":
                KernelHost.Instance.Display(string.Join("  ", Variables().Select(v => v.Name)));
                break;
            case "whos":
                KernelHost.Instance.Display(Variables().Select(v => new { v.Name, Type = TypeName(v.Type), Value = Short(ValueFormatter.Text(v.Value)) }).ToArray());
                break;
            case "lsmagic":
                KernelHost.Instance.Display(string.Join('\n', CellPlan.Directives.Select(d => $"{d.Name,-30} {d.Use}")));
                break;
            case "about":
                KernelHost.Instance.Display($"{KernelHost.Instance.Name}, C# 14, .NET {Environment.Version}, process {Environment.ProcessId}");
                break;
        }

        static string Short(string text)
        {
            string line = text.ReplaceLineEndings(" ");
            return line.Length <= 80 ? line : line[..77] + "...";
        }
    }

    // Runs where it stands, again on every call. Unlike .NET Interactive the first error ends it: what follows depends on it.
    private void Import(DirectivePart directive, CellContext cell)
    {
        if (directive.Argument.Length == 0) throw new CellException("DirectiveError", $"Line {directive.Line}: #!import needs a file: a notebook (.ipynb, .dib) or a script (.cs, .csx).");
        string? path = Folders(cell).Select(f => Path.GetFullPath(directive.Argument, f)).FirstOrDefault(File.Exists);
        if (path is null) throw new CellException("DirectiveError", $"Line {directive.Line}: there is no file '{directive.Argument}' in {string.Join(" or ", Folders(cell).Distinct())}.");
        if (cell.Importing.Count >= 20) throw new CellException("DirectiveError", $"{path} is imported by what it imports itself: {string.Join(" < ", cell.Importing.Take(3))} ...");
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
                if (part.Kind != CellKind.Code) continue;
                string name = document.Cells.Count == 1 ? Path.GetFileName(path) : $"{Path.GetFileName(path)} [{number}]";
                if (!CellPlan.Languages.ContainsKey(part.Language)) throw new CellException("DirectiveError", $"{name} is written in '{part.Language}', which this kernel does not run.");
                RunParts(part.ToSubmission(), name, null, cell, Stopwatch.StartNew());
            }
        }
        finally
        {
            cell.Importing.Pop();
        }
    }

    /// <summary>A type as a C# programmer writes it.</summary>
    internal static string TypeName(Type type)
    {
        if (type.IsArray) return $"{TypeName(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } inner) return TypeName(inner) + "?";
        if (type.IsGenericType) return $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(TypeName))}>";
        return type.Name switch { "Int32" => "int", "Int64" => "long", "Single" => "float", "Double" => "double", "Boolean" => "bool", "String" => "string", "Object" => "object", string other => other };
    }

    /// <summary>Carries a finished error through nested imports.</summary>
    private sealed class CellFailedException(ErrorOutput output) : Exception(output.Message)
    {
        public ErrorOutput Output { get; } = output;
    }
}

/// <summary>A variable of a session.</summary>
/// <param name="Name">As declared.</param>
/// <param name="Type">Declared type.</param>
/// <param name="Value">Now.</param>
public sealed record SessionVariable(string Name, Type Type, object? Value);
