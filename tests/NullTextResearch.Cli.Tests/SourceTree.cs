using System.Runtime.CompilerServices;

namespace NullTextResearch.Cli.Tests;

/// <summary>The checkout that these tests were built from, for tests that read its sources.</summary>
internal static class SourceTree
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Locate();

    /// <summary>C# files below folders of the checkout, without generated ones.</summary>
    public static string[] Files(params IEnumerable<string> folders) =>
        [
            .. folders
                .SelectMany(f => Directory.GetFiles(Path.Combine(Root, f), "*.cs", SearchOption.AllDirectories))
                .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)),
        ];

    private static string Locate([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
