using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>"Where is IInversion?" is answered by a file's name.</summary>
public sealed class PublicTypesTests
{
    [Fact]
    public void Source_EveryPublicType_HasAFileOfItsName()
    {
        List<string> wrong = [];
        int seen = 0;
        foreach (string file in SourceTree.Files("src"))
        {
            SyntaxNode root = CSharpSyntaxTree.ParseText(File.ReadAllText(file), new CSharpParseOptions(LanguageVersion.CSharp14)).GetRoot();
            string[] types =
            [
                .. root.DescendantNodes(n => n is not BaseTypeDeclarationSyntax)
                    .Select(n =>
                        n switch
                        {
                            BaseTypeDeclarationSyntax type when type.Modifiers.Any(SyntaxKind.PublicKeyword) => type.Identifier.Text,
                            DelegateDeclarationSyntax type when type.Modifiers.Any(SyntaxKind.PublicKeyword) => type.Identifier.Text,
                            _ => "",
                        }
                    )
                    .Where(name => name.Length > 0)
                    .Distinct(),
            ];
            seen += types.Length;
            // A part of a class is Name.Part.cs.
            string name = Path.GetFileNameWithoutExtension(file).Split('.')[0];
            if (types.Length > 1 || (types.Length == 1 && types[0] != name))
                wrong.Add($"{Path.GetRelativePath(SourceTree.Root, file)}: {string.Join(", ", types)}");
        }

        Assert.True(seen > 500, $"only {seen} public types were found");
        Assert.Empty(wrong);
    }
}
