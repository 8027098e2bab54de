using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>
/// The library runs in programs of any culture. Analysers see calls that take a culture and are given none; they do not see numbers inside of
/// interpolated strings, which are written in the current culture. This looks at all of ours.
/// </summary>
public sealed class CultureSourceTests
{
    private static readonly string Source = SourceTree.At("src");

    [Fact]
    public void InterpolatedStrings_NumbersWithFractions_NameTheirCulture()
    {
        CSharpParseOptions options = new(LanguageVersion.CSharp14);
        SyntaxTree[] trees =
        [
            CSharpSyntaxTree.ParseText(
                "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using "
                    + "System.Net.Http; global using System.Threading; global using System.Threading.Tasks;",
                options
            ),
            // The benchmark writes for us alone.
            .. SourceTree
                .Files("src")
                .Where(f => !f.Contains("NullTextResearch.Bench", StringComparison.Ordinal))
                .Select(f => CSharpSyntaxTree.ParseText(File.ReadAllText(f), options, f)),
        ];
        // As one program: every project's types are seen in its sources, and only what is not ours comes from libraries.
        MetadataReference[] references =
        [
            .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
                .Split(Path.PathSeparator)
                .Where(f => !Path.GetFileName(f).StartsWith("NullTextResearch", StringComparison.Ordinal) && Path.GetFileName(f) != "nulltext.dll")
                .Select(f => MetadataReference.CreateFromFile(f)),
        ];
        CSharpCompilation all = CSharpCompilation.Create(
            "all",
            trees,
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable)
        );
        List<string> wrong = [];
        int seen = 0;
        foreach (SyntaxTree tree in trees)
        {
            SemanticModel model = all.GetSemanticModel(tree);
            foreach (InterpolatedStringExpressionSyntax text in tree.GetRoot().DescendantNodes().OfType<InterpolatedStringExpressionSyntax>())
            {
                InterpolationSyntax[] numbers =
                [
                    .. text
                        .Contents.OfType<InterpolationSyntax>()
                        .Where(hole => FollowsCulture(model.GetTypeInfo(hole.Expression).Type, hole.FormatClause?.FormatStringToken.ValueText)),
                ];
                if (numbers.Length == 0)
                    continue;
                seen++;
                if (!NamesCulture(model, text))
                    wrong.Add(
                        $"{Path.GetRelativePath(Source, tree.FilePath)}:{tree.GetLineSpan(text.Span).StartLinePosition.Line + 1} "
                            + $"{{{string.Join("}, {", numbers.Select(n => n.Expression + n.FormatClause?.ToString()))}}}"
                    );
            }
        }

        Assert.True(seen > 100, $"only {seen} interpolated strings with such numbers were recognised: were the sources understood?");
        Assert.True(
            wrong.Count == 0,
            $"{wrong.Count} interpolated strings write numbers in the current culture; use string.Create(CultureInfo.InvariantCulture, ...) or "
                + $"FormattableString.Invariant:\n{string.Join('\n', wrong)}"
        );
    }

    // Fractions and dates have signs of their own in each culture; whole numbers only where groups of digits are asked for.
    private static bool FollowsCulture(ITypeSymbol? type, string? format)
    {
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
            type = nullable.TypeArguments[0];
        bool groups = format is ['N' or 'n' or 'C' or 'c' or 'P' or 'p', ..] || format?.IndexOfAny(['.', ',', '%']) >= 0;
        return type?.SpecialType switch
        {
            SpecialType.System_Double or SpecialType.System_Single or SpecialType.System_Decimal or SpecialType.System_DateTime => true,
            SpecialType.System_Int32
            or SpecialType.System_Int64
            or SpecialType.System_UInt32
            or SpecialType.System_UInt64
            or SpecialType.System_Byte
            or SpecialType.System_Int16
            or SpecialType.System_UInt16 => groups,
            _ => type?.ToDisplayString() is "System.Half" or "System.DateTimeOffset" or "System.DateOnly" or "System.TimeOnly" or "System.Numerics.BigInteger"
                || (type?.ToDisplayString() == "System.TimeSpan" && format is ['g' or 'G']),
        };
    }

    // The text becomes a FormattableString, or is itself an argument beside a culture. One inside of another's hole is a text of its own.
    private static bool NamesCulture(SemanticModel model, InterpolatedStringExpressionSyntax text)
    {
        ExpressionSyntax whole = text;
        while (whole.Parent is ParenthesizedExpressionSyntax or BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression })
            whole = (ExpressionSyntax)whole.Parent;
        if (model.GetTypeInfo(text).ConvertedType?.ToDisplayString() is "System.FormattableString" or "System.IFormattable")
            return true;
        return whole.Parent is ArgumentSyntax { Parent: ArgumentListSyntax list }
            && list.Arguments.Any(a => Inherits(model.GetTypeInfo(a.Expression).Type, "System.IFormatProvider"));
    }

    private static bool Inherits(ITypeSymbol? type, string name) =>
        type is not null && (type.ToDisplayString() == name || type.AllInterfaces.Any(i => i.ToDisplayString() == name));
}
