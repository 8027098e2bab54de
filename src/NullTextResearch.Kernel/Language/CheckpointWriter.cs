using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Language;

/// <summary>
/// Inserts a call of <see cref="Checkpoint.Pass"/> into every loop, every method and every lambda with a block, and after every label of a cell. No line is
/// added, so line numbers stay the same.
/// </summary>
/// <remarks>
/// Not changed: finally blocks, which must run to their end, and expression bodies, where an added statement would change what the compiler infers.
/// </remarks>
internal sealed class CheckpointWriter : CSharpSyntaxWalker
{
    private const string Call = "global::NullTextResearch.Kernel.Engine." + nameof(Checkpoint) + "." + nameof(Checkpoint.Pass) + "();";

    private readonly List<(int Position, string Text)> _insertions = [];

    private CheckpointWriter() { }

    /// <summary>The cell with checkpoints, or unchanged if it cannot be parsed.</summary>
    public static string Write(string code)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, CellPlan.ParseOptions);
        if (tree.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error))
            return code;
        CheckpointWriter writer = new();
        writer.Visit(tree.GetRoot());
        if (writer._insertions.Count == 0)
            return code;
        StringBuilder text = new(code);
        // The sort is stable: of two insertions at one position, the outer one, visited first, comes first.
        foreach ((int position, string insertion) in writer._insertions.OrderBy(i => i.Position).Reverse())
            text.Insert(position, insertion);
        return text.ToString();
    }

    public override void Visit(SyntaxNode? node)
    {
        switch (node)
        {
            case FinallyClauseSyntax:
                return;
            case WhileStatementSyntax loop:
                Guard(loop.Statement);
                break;
            case DoStatementSyntax loop:
                Guard(loop.Statement);
                break;
            case ForStatementSyntax loop:
                Guard(loop.Statement);
                break;
            case CommonForEachStatementSyntax loop:
                Guard(loop.Statement);
                break;
            case LabeledStatementSyntax label:
                // A backward jump makes a loop.
                _insertions.Add((label.ColonToken.Span.End, Call));
                break;
            case MethodDeclarationSyntax method:
                Guard(method.Body);
                break;
            case LocalFunctionStatementSyntax function:
                Guard(function.Body);
                break;
            case AnonymousFunctionExpressionSyntax function:
                Guard(function.Block);
                break;
        }

        base.Visit(node);
    }

    private void Guard(StatementSyntax? body)
    {
        switch (body)
        {
            case null:
                break;
            case BlockSyntax block:
                _insertions.Add((block.OpenBraceToken.Span.End, Call));
                break;
            default:
                _insertions.Add((body.SpanStart, "{" + Call));
                _insertions.Add((body.Span.End, "}"));
                break;
        }
    }
}
