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

    private CheckpointWriter()
    {
    }

    /// <summary>The cell with checkpoints, or as it is where it cannot be parsed.</summary>
    public static string Write(string code)
    {
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, CellPlan.ParseOptions);
        if (tree.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error)) return code;
        CheckpointWriter writer = new();
        writer.Visit(tree.GetRoot());
        if (writer._insertions.Count == 0) return code;
        StringBuilder text = new(code);
        // Stable: of two at one place the outer one, met first, comes first.
        foreach ((int position, string insertion) in writer._insertions.OrderBy(i => i.Position).Reverse()) text.Insert(position, insertion);
        return text.ToString();
    }

    public override void VisitFinallyClause(FinallyClauseSyntax node)
    {
    }

    public override void VisitWhileStatement(WhileStatementSyntax node)
    {
        Guard(node.Statement);
        base.VisitWhileStatement(node);
    }

    public override void VisitDoStatement(DoStatementSyntax node)
    {
        Guard(node.Statement);
        base.VisitDoStatement(node);
    }

    public override void VisitForStatement(ForStatementSyntax node)
    {
        Guard(node.Statement);
        base.VisitForStatement(node);
    }

    public override void VisitForEachStatement(ForEachStatementSyntax node)
    {
        Guard(node.Statement);
        base.VisitForEachStatement(node);
    }

    public override void VisitForEachVariableStatement(ForEachVariableStatementSyntax node)
    {
        Guard(node.Statement);
        base.VisitForEachVariableStatement(node);
    }

    public override void VisitLabeledStatement(LabeledStatementSyntax node)
    {
        // A jump back is a loop.
        _insertions.Add((node.ColonToken.Span.End, Call));
        base.VisitLabeledStatement(node);
    }

    public override void VisitMethodDeclaration(MethodDeclarationSyntax node)
    {
        Guard(node.Body);
        base.VisitMethodDeclaration(node);
    }

    public override void VisitLocalFunctionStatement(LocalFunctionStatementSyntax node)
    {
        Guard(node.Body);
        base.VisitLocalFunctionStatement(node);
    }

    public override void VisitSimpleLambdaExpression(SimpleLambdaExpressionSyntax node)
    {
        Guard(node.Block);
        base.VisitSimpleLambdaExpression(node);
    }

    public override void VisitParenthesizedLambdaExpression(ParenthesizedLambdaExpressionSyntax node)
    {
        Guard(node.Block);
        base.VisitParenthesizedLambdaExpression(node);
    }

    public override void VisitAnonymousMethodExpression(AnonymousMethodExpressionSyntax node)
    {
        Guard(node.Block);
        base.VisitAnonymousMethodExpression(node);
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
