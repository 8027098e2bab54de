using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Language;

/// <summary>
/// Writes a call of <see cref="Checkpoint.Pass"/> into every loop, every method and every lambda with a block, and behind
/// every label of a cell. No line is added, so line numbers stay.
/// </summary>
/// <remarks>
/// Left alone: finally blocks, which have to run to their end, and bodies that are one expression, which cannot take a
/// statement without changing what the compiler infers from them.
/// </remarks>
internal sealed class CheckpointWriter : CSharpSyntaxWalker
{
    private const string Call = "global::NullTextResearch.Kernel.Engine." + nameof(Checkpoint) + "." + nameof(Checkpoint.Pass) + "();";

    private readonly List<(int Position, string Text)> _insertions = [];

    private CheckpointWriter() { }

    /// <summary>The cell with checkpoints, or as it is where it cannot be parsed.</summary>
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
        // Stable: of two at one place the outer one, met first, comes first.
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
                // A jump back is a loop.
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
