namespace NullTextResearch.TestKit;

/// <summary>The checkout that these tests were built from, for tests that read its files.</summary>
public static class SourceTree
{
    /// <summary>The folder of the solution.</summary>
    public static string Root { get; } = Locate();

    /// <summary>A file or folder of the checkout.</summary>
    public static string At(params IEnumerable<string> names) => Path.Combine([Root, .. names]);

    /// <summary>C# files below folders of the checkout, without generated ones.</summary>
    public static string[] Files(params IEnumerable<string> folders) =>
        [
            .. folders
                .SelectMany(f => Directory.GetFiles(At(f), "*.cs", SearchOption.AllDirectories))
                .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)),
        ];

    private static string Locate()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "NullTextResearch.sln")))
                return at.FullName;
        }
        throw new DirectoryNotFoundException($"The tests run outside a checkout: no NullTextResearch.sln above {AppContext.BaseDirectory}.");
    }
}
