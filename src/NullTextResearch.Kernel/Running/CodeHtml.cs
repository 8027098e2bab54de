using System.Net;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Running;

/// <summary>Code as HTML, with keywords, strings and comments marked.</summary>
internal static class CodeHtml
{
    public static string Colour(NotebookCell cell)
    {
        if (cell.Language != "csharp" || CodeNesting.ParserFault(cell.Source) is not null)
            return WebUtility.HtmlEncode(cell.Source);
        StringBuilder html = new();
        foreach (
            SyntaxToken token in CSharpSyntaxTree
                .ParseText(cell.Source, new CSharpParseOptions(LanguageVersion.CSharp14, kind: SourceCodeKind.Script))
                .GetRoot()
                .DescendantTokens()
        )
        {
            Trivia(token.LeadingTrivia);
            Mark(token.ToString(), Class(token));
            Trivia(token.TrailingTrivia);
        }

        return html.ToString();

        void Trivia(SyntaxTriviaList list)
        {
            // Directives such as #r and #!time have their own structure.
            foreach (SyntaxTrivia trivia in list)
                Mark(trivia.ToFullString(), trivia.IsKind(SyntaxKind.WhitespaceTrivia) || trivia.IsKind(SyntaxKind.EndOfLineTrivia) ? null : "co");
        }

        void Mark(string text, string? style)
        {
            if (text.Length == 0)
                return;
            string encoded = WebUtility.HtmlEncode(text);
            html.Append(style is null ? encoded : $"<span class=\"{style}\">{encoded}</span>");
        }
    }

    private static string? Class(SyntaxToken token) =>
        token.Kind() switch
        {
            SyntaxKind.StringLiteralToken
            or SyntaxKind.CharacterLiteralToken
            or SyntaxKind.InterpolatedStringTextToken
            or SyntaxKind.InterpolatedStringStartToken
            or SyntaxKind.InterpolatedStringEndToken
            or SyntaxKind.SingleLineRawStringLiteralToken
            or SyntaxKind.MultiLineRawStringLiteralToken => "st",
            _ => token.IsKeyword() || token.IsContextualKeyword() || token.ToString() == "var" ? "kw" : null,
        };
}
