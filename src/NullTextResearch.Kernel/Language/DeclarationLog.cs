using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace NullTextResearch.Kernel.Language;

/// <summary>
/// The declarations of all cells so far, as one short C# text. Completion reads this text instead of the chain of all submissions, whose symbols would fill
/// a gigabyte after 200 cells. The text grows with the number of names in use, not with the number of cells run.
/// </summary>
internal sealed partial class DeclarationLog
{
    private static readonly SymbolDisplayFormat TypeFormat = SymbolDisplayFormat.FullyQualifiedFormat.WithMiscellaneousOptions(
        SymbolDisplayMiscellaneousOptions.UseSpecialTypes
            | SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers
            | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier
    );

    private readonly Dictionary<string, string> _members = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _usings = new(StringComparer.Ordinal);
    private readonly HashSet<string> _captured = new(StringComparer.Ordinal);

    /// <summary>Changes with every cell that declares something.</summary>
    public int Version { get; private set; }

    /// <summary>The text: usings, then the latest declaration of each name.</summary>
    public string Text
    {
        get
        {
            StringBuilder text = new();
            foreach (string directive in _usings.Values)
                text.Append(directive).Append('\n');
            foreach (string member in _members.Values)
                text.Append(member).Append('\n');
            return text.ToString();
        }
    }

    /// <summary>Whether a method, type or lambda of any cell mentions a name; such code may run later.</summary>
    public bool IsCaptured(string name) => _captured.Contains(name);

    /// <summary>Records the names mentioned in code of a cell that may run later.</summary>
    public void NoteCaptures(CSharpCompilation compilation)
    {
        foreach (SyntaxTree tree in compilation.SyntaxTrees)
        {
            foreach (SyntaxNode node in tree.GetRoot().DescendantNodes(n => !Lasts(n)).Where(Lasts))
            {
                foreach (SyntaxToken token in node.DescendantTokens())
                {
                    if (token.IsKind(SyntaxKind.IdentifierToken))
                        _captured.Add(token.ValueText);
                }
            }
        }
    }

    /// <summary>Adds the declarations of a cell.</summary>
    public void Add(CSharpCompilation compilation)
    {
        int before = Version;
        foreach (SyntaxTree tree in compilation.SyntaxTrees)
        {
            CompilationUnitSyntax root = (CompilationUnitSyntax)tree.GetRoot();
            foreach (UsingDirectiveSyntax directive in root.Usings)
            {
                if (_usings.TryAdd(directive.WithoutTrivia().ToString(), directive.WithoutTrivia().ToString()))
                    Version++;
            }

            foreach (MemberDeclarationSyntax member in root.Members)
            {
                string? key = member switch
                {
                    MethodDeclarationSyntax method =>
                        $"{method.Identifier.ValueText}({string.Join(',', method.ParameterList.Parameters.Select(p => p.Type?.ToString()))})",
                    BaseTypeDeclarationSyntax type => type.Identifier.ValueText,
                    DelegateDeclarationSyntax type => type.Identifier.ValueText,
                    PropertyDeclarationSyntax property => property.Identifier.ValueText,
                    _ => null,
                };
                if (key is not null)
                    Set(key, member.ToFullString());
            }
        }

        if (compilation.ScriptClass is { } script)
        {
            foreach (IFieldSymbol field in script.GetMembers().OfType<IFieldSymbol>())
            {
                if (field.CanBeReferencedByName && !field.IsImplicitlyDeclared)
                    Set(field.Name, Declaration(field));
            }
        }

        if (Version != before)
            Version = before + 1;
    }

    private void Set(string key, string text)
    {
        if (_members.TryGetValue(key, out string? old) && old == text)
            return;
        _members[key] = text;
        Version++;
    }

    private static string Declaration(IFieldSymbol field)
    {
        if (field.Type.IsAnonymousType)
        {
            IEnumerable<string> parts = field.Type.GetMembers().OfType<IPropertySymbol>().Select(p => $"{p.Name} = default({TypeText(p.Type)})");
            return $"var {field.Name} = new {{ {string.Join(", ", parts)} }};";
        }

        return $"{TypeText(field.Type)} {field.Name} = default!;";
    }

    private static string TypeText(ITypeSymbol type)
    {
        string text = Submission().Replace(type.ToDisplayString(TypeFormat), "");
        // Types without a name cannot be written in code.
        return text.Contains("anonymous", StringComparison.Ordinal) || text.Length == 0 ? "object" : text;
    }

    private static bool Lasts(SyntaxNode node) =>
        node
            is AnonymousFunctionExpressionSyntax
                or LocalFunctionStatementSyntax
                or BaseMethodDeclarationSyntax
                or BasePropertyDeclarationSyntax
                or BaseTypeDeclarationSyntax
                or QueryExpressionSyntax;

    [GeneratedRegex(@"(global::)?Submission#\d+\.")]
    private static partial Regex Submission();
}
