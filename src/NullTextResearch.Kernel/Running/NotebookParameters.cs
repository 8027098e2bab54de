using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Running;

/// <summary>Sets a notebook's parameters from outside (papermill's convention).</summary>
public static class NotebookParameters
{
    /// <summary>Tag of the cell that declares the parameters with their defaults.</summary>
    public const string Tag = "parameters";

    /// <summary>Tag of the cell that overrides their values.</summary>
    public const string InjectedTag = "injected-parameters";

    /// <summary>The names that the notebook's parameters cell declares, in order.</summary>
    public static IReadOnlyList<string> Names(NotebookDocument document) => [.. Declared(document).Select(d => d.Identifier.Text)];

    /// <summary>Inserts a cell with the values after the parameters cell and removes the one of an earlier run.</summary>
    /// <param name="document">The notebook; not modified.</param>
    /// <param name="values">Names and values; a value is a C# expression, or the bare text of a string parameter.</param>
    /// <exception cref="ArgumentException">The notebook has no parameters cell, a name is not in it, or a value is not an expression.</exception>
    public static NotebookDocument Inject(NotebookDocument document, IReadOnlyList<(string Name, string Value)> values)
    {
        List<NotebookCell> cells = [.. document.Cells.Where(c => !c.Tags.Contains(InjectedTag))];
        if (values.Count == 0)
            return document with { Cells = cells };
        int place = cells.FindIndex(c => c.Kind == CellKind.Code && c.Tags.Contains(Tag));
        if (place < 0)
            throw new ArgumentException($"The notebook has no cell with the tag '{Tag}', so it accepts no values.");
        VariableDeclaratorSyntax[] declared = Declared(document);
        List<string> lines = ["// injected parameters"];
        foreach ((string name, string value) in values)
        {
            VariableDeclaratorSyntax target =
                declared.FirstOrDefault(d => d.Identifier.Text == name)
                ?? throw new ArgumentException(
                    $"The notebook has no parameter '{name}'. It has: {string.Join(", ", declared.Select(d => d.Identifier.Text))}."
                );
            lines.Add($"{name} = {Literal(target, name, value)};");
        }

        cells.Insert(
            place + 1,
            new NotebookCell
            {
                Source = string.Join('\n', lines),
                // Always the same, so that a repeated run does not change the file needlessly.
                Id = InjectedTag,
                Metadata = new JsonObject { ["tags"] = new JsonArray(InjectedTag) },
            }
        );
        return document with { Cells = cells };
    }

    private static string Literal(VariableDeclaratorSyntax target, string name, string value)
    {
        bool text =
            target.Initializer?.Value is LiteralExpressionSyntax { RawKind: (int)SyntaxKind.StringLiteralExpression }
            || (target.Parent is VariableDeclarationSyntax { Type: var type } && type.ToString() is "string" or "string?");
        if (text && value != "null" && !value.StartsWith('"') && !value.StartsWith('@') && !value.StartsWith('$'))
            return SymbolDisplay.FormatLiteral(value, quote: true);
        if (CodeNesting.ParserFault(value) is { } fault)
            throw new ArgumentException($"The value of '{name}' cannot be read: {fault}");
        ExpressionSyntax expression = SyntaxFactory.ParseExpression(value);
        if (expression.ContainsDiagnostics || expression.IsMissing)
            throw new ArgumentException(
                $"The value of '{name}' is not a C# expression: {value} "
                    + $"({expression.GetDiagnostics().FirstOrDefault()?.GetMessage(System.Globalization.CultureInfo.InvariantCulture)})."
            );
        return value;
    }

    private static VariableDeclaratorSyntax[] Declared(NotebookDocument document)
    {
        if (document.Cells.FirstOrDefault(c => c.Kind == CellKind.Code && c.Tags.Contains(Tag)) is not { } cell)
            return [];
        if (CodeNesting.ParserFault(cell.Source) is { } fault)
            throw new ArgumentException($"The cell with the tag '{Tag}' cannot be read: {fault}");
        SyntaxNode root = CSharpSyntaxTree.ParseText(cell.Source, new CSharpParseOptions(LanguageVersion.CSharp14, kind: SourceCodeKind.Script)).GetRoot();
        return [.. root.ChildNodes().OfType<FieldDeclarationSyntax>().SelectMany(f => f.Declaration.Variables)];
    }
}
