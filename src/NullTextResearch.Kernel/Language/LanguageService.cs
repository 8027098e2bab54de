using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.QuickInfo;
using Microsoft.CodeAnalysis.Text;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Language;

/// <summary>
/// Completion and inspection. A request sees two submissions: one text that represents all earlier cells, and the cell being written. Only the compilation
/// of the earlier cells is cached, until they change.
/// </summary>
internal sealed class LanguageService(ReferenceCatalog references, IReadOnlyList<string> imports, DeclarationLog declarations)
{
    private const int MostItems = 1000;

    // Unterminated comments and strings that may span several lines: the error is reported at their start.
    private static readonly string[] Unended = ["CS1035", "CS1039", "CS8997"];

    private static readonly SymbolDisplayFormat Signature = SymbolDisplayFormat.MinimallyQualifiedFormat;

    private readonly AdhocWorkspace _workspace = new(
        MefHostServices.Create([
            .. MefHostServices.DefaultAssemblies,
            typeof(CompletionService).Assembly,
            System.Reflection.Assembly.Load("Microsoft.CodeAnalysis.CSharp.Features"),
        ])
    );

    private Solution? _past;
    private ProjectId? _pastProject;
    private (int Version, int References) _pastOf;

    /// <summary>Completions at the position.</summary>
    public Completions Complete(string code, int position)
    {
        position = Math.Clamp(position, 0, code.Length);
        CodeNesting.RequireForCompiler(code);
        Document document = Open(code);
        CompletionService service = CompletionService.GetService(document)!;
        CompletionList list = service.GetCompletionsAsync(document, position).GetAwaiter().GetResult();
        if (list.ItemsList.Count == 0)
            return new Completions(position, position, []);
        TextSpan span = list.Span;
        string prefix = code[span.Start..Math.Min(position, span.End)];
        Completion[] items =
        [
            .. list
                .ItemsList.Where(i => i.FilterText.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && !i.DisplayText.Contains(' '))
                // Items that match the typed case come first.
                .OrderBy(i => i.FilterText.StartsWith(prefix, StringComparison.Ordinal) ? 0 : 1)
                .ThenBy(i => i.SortText, StringComparer.OrdinalIgnoreCase)
                .Select(i => new Completion(i.DisplayText, Kind(i)))
                .DistinctBy(i => i.Text)
                .Take(MostItems),
        ];
        return new Completions(span.Start, position, items);
    }

    /// <summary>Signature and documentation of the symbol at the position, or null if there is none.</summary>
    public string? Inspect(string code, int position)
    {
        position = Math.Clamp(position, 0, code.Length);
        CodeNesting.RequireForCompiler(code);
        Document document = Open(code);
        QuickInfoService service = QuickInfoService.GetService(document)!;
        foreach (int place in Places(code, position, document))
        {
            if (service.GetQuickInfoAsync(document, place).GetAwaiter().GetResult() is not { } info)
                continue;
            string text = string.Join("\n\n", info.Sections.Select(s => string.Concat(s.TaggedParts.Select(p => p.Text)).Trim()).Where(s => s.Length > 0));
            if (text.Length == 0)
                continue;
            return text + Overloads(document, place);
        }

        return null;
    }

    /// <summary>Whether a console should run the text or ask for more lines.</summary>
    public static Completeness IsComplete(string code)
    {
        IReadOnlyList<CellPart> parts;
        try
        {
            parts = CellPlan.Parse(code);
            if (parts.LastOrDefault() is CodePart end)
                CodeNesting.RequireForCompiler(end.Code);
        }
        catch (CellException e)
        {
            // Running the cell will report what is wrong with the directive.
            return new Completeness(e.Name == CodeNesting.ErrorName ? "invalid" : "complete", "");
        }

        if (parts.LastOrDefault() is not CodePart last)
            return new Completeness("complete", "");
        SyntaxTree tree = CSharpSyntaxTree.ParseText(last.Code, CellPlan.ParseOptions);
        Diagnostic[] errors = [.. tree.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error)];
        if (!SyntaxFactory.IsCompleteSubmission(tree))
        {
            // More lines can fix what is missing at the end, but not an error before it.
            int length = last.Code.TrimEnd().Length;
            if (errors.Any(e => e.Location.SourceSpan.End < length && !Unended.Contains(e.Id)))
                return new Completeness("invalid", "");
            string line = code.TrimEnd().Split('\n')[^1];
            string indent = line[..(line.Length - line.TrimStart().Length)];
            return new Completeness("incomplete", line.TrimEnd().EndsWith('{') ? indent + "    " : indent);
        }

        return errors.Length > 0 ? new Completeness("invalid", "") : new Completeness("complete", "");
    }

    private Document Open(string code)
    {
        IReadOnlyList<PortableExecutableReference> added = references.Added;
        if (_past is null || _pastOf != (declarations.Version, added.Count))
        {
            _pastProject = ProjectId.CreateNewId();
            MetadataReference[] all = [.. references.Defaults.Concat(added).Distinct()];
            Solution empty = _workspace.CurrentSolution;
            _past = empty
                .AddProject(Submission(_pastProject, "past", all, imports))
                .AddDocument(DocumentId.CreateNewId(_pastProject), "past.csx", SourceText.From(declarations.Text));
            _pastOf = (declarations.Version, added.Count);
        }

        ProjectId now = ProjectId.CreateNewId();
        DocumentId document = DocumentId.CreateNewId(now);
        return _past
            .AddProject(Submission(now, "cell", references.Defaults.Concat(added).Distinct(), imports))
            .AddProjectReference(now, new ProjectReference(_pastProject!))
            .AddDocument(document, "cell.csx", SourceText.From(code))
            .GetDocument(document)!;
    }

    private ProjectInfo Submission(ProjectId id, string name, IEnumerable<MetadataReference> metadata, IEnumerable<string> usings) =>
        ProjectInfo.Create(
            id,
            VersionStamp.Create(),
            name,
            name,
            LanguageNames.CSharp,
            isSubmission: true,
            parseOptions: CellPlan.ParseOptions.WithDocumentationMode(DocumentationMode.Parse),
            compilationOptions: new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                usings: usings,
                allowUnsafe: true,
                metadataReferenceResolver: references,
                sourceReferenceResolver: new ScriptFiles(Environment.CurrentDirectory)
            ),
            metadataReferences: metadata
        );

    // The position itself, the character before it, then the methods whose argument lists contain it.
    private static IEnumerable<int> Places(string code, int position, Document document)
    {
        yield return position;
        if (position > 0)
            yield return position - 1;
        SyntaxNode root = document.GetSyntaxRootAsync().GetAwaiter().GetResult()!;
        SyntaxNode? node = root.FindToken(Math.Clamp(position - 1, 0, Math.Max(0, code.Length - 1))).Parent;
        for (; node is not null; node = node.Parent)
        {
            switch (node)
            {
                case InvocationExpressionSyntax call:
                    yield return call.Expression switch
                    {
                        MemberAccessExpressionSyntax access => access.Name.SpanStart,
                        ExpressionSyntax other => other.SpanStart,
                    };
                    break;
                case ObjectCreationExpressionSyntax creation:
                    yield return creation.Type.SpanStart;
                    break;
            }
        }
    }

    private static string Overloads(Document document, int place)
    {
        SemanticModel model = document.GetSemanticModelAsync().GetAwaiter().GetResult()!;
        SyntaxNode? node = model.SyntaxTree.GetRoot().FindToken(place).Parent;
        if (node is null)
            return "";
        ISymbol[] group = [.. model.GetMemberGroup(node).Take(12)];
        if (group.Length < 2)
            return "";
        StringBuilder text = new("\n\nOverloads:");
        foreach (ISymbol symbol in group)
            text.Append("\n  ").Append(symbol.ToDisplayString(Signature));
        return text.ToString();
    }

    /// <summary>Completions for a directive at the position; null if no directive begins there.</summary>
    public static Completions? Directive(string code, int position)
    {
        int start = position == 0 ? 0 : code.LastIndexOf('\n', position - 1) + 1;
        string line = code[start..position];
        if (!line.StartsWith("#!", StringComparison.Ordinal) || line.Contains(' '))
            return null;
        return new Completions(
            start,
            position,
            [
                .. CellPlan
                    .Directives.Select(d => d.Name.Split(' ')[0])
                    .Where(n => n.StartsWith(line, StringComparison.Ordinal))
                    .Select(n => new Completion(n, "magic")),
            ]
        );
    }

    private static string Kind(CompletionItem item) =>
        item.Tags.FirstOrDefault(t => t is not ("Public" or "Private" or "Internal" or "Protected"))?.ToLowerInvariant() ?? "text";
}
