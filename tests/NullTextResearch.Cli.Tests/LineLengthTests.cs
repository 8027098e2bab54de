using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>The formatter breaks code, not strings and comments: this looks at what it leaves.</summary>
public sealed class LineLengthTests
{
    private const int Most = 160;

    [Fact]
    public void Source_NoLine_IsTooLong()
    {
        string[] files = SourceTree.Files("src", "tests");
        Assert.True(files.Length > 400, $"only {files.Length} files were found in {SourceTree.Root}");
        Assert.Empty(files.SelectMany(TooLong));
    }

    private static IEnumerable<string> TooLong(string file)
    {
        string[] lines = File.ReadAllLines(file);
        if (lines.All(l => l.Length <= Most))
            yield break;
        SyntaxTree tree = CSharpSyntaxTree.ParseText(File.ReadAllText(file), new CSharpParseOptions(LanguageVersion.CSharp14));
        for (int i = 0; i < lines.Length; i++)
        {
            // What a raw literal holds is another language's, or a file's.
            if (lines[i].Length > Most && !IsRaw(tree.GetRoot().FindToken(tree.GetText().Lines[i].Start + Most)))
                yield return $"{file}:{i + 1} has {lines[i].Length} columns; at most {Most}.";
        }
    }

    private static bool IsRaw(SyntaxToken token) =>
        token.IsKind(SyntaxKind.SingleLineRawStringLiteralToken)
        || token.IsKind(SyntaxKind.MultiLineRawStringLiteralToken)
        || token.IsKind(SyntaxKind.Utf8SingleLineRawStringLiteralToken)
        || token.IsKind(SyntaxKind.Utf8MultiLineRawStringLiteralToken)
        || (
            token.Parent?.FirstAncestorOrSelf<InterpolatedStringExpressionSyntax>() is { } text
            && text.StringStartToken.Kind() is SyntaxKind.InterpolatedSingleLineRawStringStartToken or SyntaxKind.InterpolatedMultiLineRawStringStartToken
        );
}
