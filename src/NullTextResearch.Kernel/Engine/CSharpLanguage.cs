using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;
using NullTextResearch.Kernel.Formatting;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>C# through Roslyn's scripting: each part of a cell is one submission, which sees all earlier ones.</summary>
internal sealed class CSharpLanguage : ICellLanguage
{
    // The imports of .NET Interactive, so that a notebook needs the same usings in both, plus our own functions.
    private static readonly string[] Imports =
    [
        "System",
        "System.Text",
        "System.Collections",
        "System.Collections.Generic",
        "System.Threading.Tasks",
        "System.Linq",
        "NullTextResearch.Hosting",
        "NullTextResearch.Kernel.CellFunctions",
    ];

    private readonly LanguageSession _session;
    private readonly InteractiveAssemblyLoader _loader = new();
    private readonly ScriptOptions _scriptOptions;
    private readonly Lazy<LanguageService> _service;
    private readonly DeclarationLog _declarations = new();
    private readonly List<MetadataReference> _added = [];
    private ScriptState<object>? _state;

    public CSharpLanguage(LanguageSession session)
    {
        _session = session;
        _scriptOptions = ScriptOptions
            .Default.WithLanguageVersion(LanguageVersion.CSharp14)
            .WithAllowUnsafe(true)
            // Hot loops run at full speed; line numbers are kept.
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(System.Text.Encoding.UTF8)
            .WithMetadataResolver(session.References)
            .WithReferences(session.References.Defaults)
            .WithImports(Imports);
        _service = new Lazy<LanguageService>(() => new LanguageService(session.References, Imports, _declarations));
    }

    public string Name => CellPlan.CSharp;

    /// <summary>The latest variable of each name, sorted by name.</summary>
    public IEnumerable<SessionVariable> SessionVariables
    {
        get
        {
            if (_state is not { } state)
                return [];
            Dictionary<string, SessionVariable> latest = new(StringComparer.Ordinal);
            foreach (ScriptVariable variable in state.Variables)
                latest[variable.Name] = new SessionVariable(variable.Name, variable.Type, variable.Value);
            return latest.Values.OrderBy(v => v.Name, StringComparer.Ordinal);
        }
    }

    /// <summary>Runs one real submission, so that the JIT compiles compiler, emitter and loader.</summary>
    public void WarmUp()
    {
        Script<object> script = CSharpScript.Create<object>(
            "var __warm = 1 + 1; System.Func<int, int> __f = __x => __x; $\"{__warm}\"",
            _scriptOptions,
            null,
            _loader
        );
        _ = script.RunAsync().GetAwaiter().GetResult();
        _state = CSharpScript.Create<object>("", _scriptOptions, null, _loader).RunAsync().GetAwaiter().GetResult();
    }

    public void AddReferences(IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            PortableExecutableReference reference = _session.References.Load(path);
            // Assemblies that only a package's other assemblies need are in no compilation.
            if (!_session.References.IsOwn(Path.GetFileNameWithoutExtension(path)) && AssemblyIdentityOf(reference) is { } identity)
                _loader.RegisterDependency(identity, path);
            if (!_added.Contains(reference))
                _added.Add(reference);
        }
    }

    public void Run(CodeRun run)
    {
        CellContext cell = run.Cell;
        string code = run.Code;
        CodeNesting.RequireForCompiler(code);
        Script<object> script = Continue(CheckpointWriter.Write(code), run.Name);
        if (Errors(script).Length > 0)
        {
            // Compile the user's own text, so that errors have its columns.
            script = Continue(code, run.Name);
            if (Errors(script) is { Length: > 0 } errors)
                throw new CellFailedException(_session.Traceback.Of(errors));
        }

        CSharpCompilation compilation = (CSharpCompilation)script.GetCompilation();
        bool hasResult = run.WantsResult && HasResult(compilation, cell.Cancel);
        ScriptState<object>? next = null;
        Exception? stopped = null;
        CellPump pump = new();
        SynchronizationContext? before = SynchronizationContext.Current;
        try
        {
            cell.RunStoppable(() =>
            {
                SynchronizationContext.SetSynchronizationContext(pump);
                // Catching every exception keeps the variables of a cell that fails halfway.
                Task<ScriptState<object>> task = script.RunFromAsync(_state, _ => true, cell.Cancel);
                pump.RunUntil(task, cell.Stopped);
                ScriptState<object> state = task.GetAwaiter().GetResult();
                // Formatters are user code: run them here, where they can be interrupted.
                if (state.Exception is null && hasResult)
                    run.ShowResult(state.ReturnValue);
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
            Advance(compilation, next);
        if (cell.IsInterrupted && (stopped is not null || next?.Exception is not null))
            throw new OperationCanceledException("Interrupted", stopped ?? next?.Exception);
        if (next?.Exception is { } thrown)
            throw new CellFailedException(_session.Traceback.Of(thrown));
        // The cell caught the exception that was meant to stop it.
        if (cell.IsStopped)
            throw new OperationCanceledException("Interrupted");

        ImmutableArray<Diagnostic> Errors(Script<object> of) => [.. of.Compile(cell.Cancel).Where(d => d.Severity == DiagnosticSeverity.Error)];
    }

    public Completions Complete(string code, int position) => _service.Value.Complete(code, position);

    public string? Inspect(string code, int position) => _service.Value.Inspect(code, position);

    public Completeness IsComplete(string code) => LanguageService.IsComplete(code);

    public IReadOnlyList<VariableSummary> Variables() =>
        [.. SessionVariables.Select(v => new VariableSummary(v.Name, TypeNames.CSharp(v.Type), ValueFormatter.Short(v.Value)))];

    public SharedVariable? Get(string name) =>
        SessionVariables.FirstOrDefault(v => v.Name == name) is { } found ? new SharedVariable(found.Value, found.Type) : null;

    public void Set(string name, SharedVariable variable)
    {
        if (!SyntaxFacts.IsValidIdentifier(name))
            throw new CellException("SharingError", $"'{name}' cannot be the name of a C# variable; choose another one with --as or --name.");
        Type declared = variable.Type == typeof(object) && variable.Value is { } value ? value.GetType() : variable.Type;
        // If C# cannot name the type, dynamic still gives access to its members at run time.
        string type = TypeNames.CSharpDeclaration(declared) ?? "dynamic";
        AddReferences([.. TypeNames.Assemblies(declared).Select(a => a.Location).Where(p => p.Length > 0 && !_session.References.IsDefault(p))]);
        Script<object> script = Continue(
            $"{type} @{name} = global::NullTextResearch.Kernel.Engine.{nameof(SharedValue)}.{nameof(SharedValue.Take)}<{type}>();",
            "sharing"
        );
        if (script.Compile().Any(d => d.Severity == DiagnosticSeverity.Error))
            script = Continue(
                $"dynamic @{name} = global::NullTextResearch.Kernel.Engine.{nameof(SharedValue)}.{nameof(SharedValue.Take)}<object>();",
                "sharing"
            );
        SharedValue.Pass(
            variable.Value,
            () =>
            {
                ScriptState<object> next = script.RunFromAsync(_state).GetAwaiter().GetResult();
                Advance((CSharpCompilation)script.GetCompilation(), next);
            }
        );
    }

    public void Dispose() { }

    // Passes only new references: the compiler carries references and imports over from cell to cell.
    private Script<object> Continue(string code, string name) =>
        _state!.Script.ContinueWith<object>(
            code,
            _scriptOptions.WithReferences(_added).WithImports().WithFilePath(name).WithSourceResolver(new ScriptFiles(Environment.CurrentDirectory))
        );

    private void Advance(CSharpCompilation compilation, ScriptState<object> next)
    {
        _declarations.NoteCaptures(compilation);
        ShadowedVariables.Release(_state, next, _declarations);
        _state = next;
        _declarations.Add(compilation);
        _added.Clear();
    }

    // Whether the cell ends with an expression that has a value and no semicolon.
    private static bool HasResult(CSharpCompilation compilation, CancellationToken cancel)
    {
        SyntaxTree tree = compilation.SyntaxTrees[^1];
        if (
            tree.GetRoot(cancel).ChildNodes().LastOrDefault()
            is not GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last }
        )
            return false;
        return compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression, cancel).Type is not { SpecialType: SpecialType.System_Void };
    }

    private static AssemblyIdentity? AssemblyIdentityOf(PortableExecutableReference reference) =>
        CSharpCompilation.Create("identity").AddReferences(reference).GetAssemblyOrModuleSymbol(reference) is IAssemblySymbol symbol ? symbol.Identity : null;
}
