using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Text;
using System.Text.Json;
using NullTextResearch.TestKit;

namespace NullTextResearch.DotNetInteractive.Tests;

/// <summary>A debugger that stops inside the library finds its sources where the repository is published.</summary>
public sealed class SourceLinkTests : IDisposable
{
    private const string Project = "NullTextResearch.Hosting";
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-sources-").FullName;

    public void Dispose()
    {
        // git writes its objects read-only, which Windows does not delete.
        foreach (string file in Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories))
            File.SetAttributes(file, FileAttributes.Normal);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The smallest package, built in a clone that has an address; a build without one links to nothing and says so in no warning.</summary>
    [Fact]
    public void Symbols_BuiltInACloneOfAPublishedRepository_LinkToTheCommit()
    {
        string checkout = SourceTree.Root;
        Assert.SkipUnless(Path.Exists(Path.Combine(checkout, ".git")), "this copy of the project is no git checkout");
        // The project alone, with what every project takes from the root.
        Tool.Required("git", ["clone", "-q", "--depth", "1", "--sparse", new Uri(checkout).AbsoluteUri, _folder]);
        Tool.Required("git", ["-C", _folder, "sparse-checkout", "set", $"src/{Project}", "docs"]);
        Tool.Required("git", ["-C", _folder, "remote", "set-url", "origin", "https://github.com/someone/NullTextResearch.git"]);
        string commit = Tool.Required("git", ["-C", _folder, "rev-parse", "HEAD"]).Trim();
        Tool.Required("dotnet", ["build", Path.Combine(_folder, "src", Project), "-c", "Release", "-v", "q", "-nologo"]);

        using FileStream file = File.OpenRead(Path.Combine(_folder, "src", Project, "bin", "Release", "net10.0", Project + ".pdb"));
        using MetadataReaderProvider symbols = MetadataReaderProvider.FromPortablePdbStream(file);
        MetadataReader reader = symbols.GetMetadataReader();
        byte[] link = reader
            .GetCustomDebugInformation(MetadataTokens.EntityHandle(TableIndex.Module, 1))
            .Select(reader.GetCustomDebugInformation)
            .Where(information => reader.GetGuid(information.Kind) == SourceLink)
            .Select(information => reader.GetBlobBytes(information.Value))
            .Single();
        using JsonDocument map = JsonDocument.Parse(Encoding.UTF8.GetString(link));
        Assert.Contains(
            map.RootElement.GetProperty("documents").EnumerateObject(),
            entry => entry.Value.GetString() == $"https://raw.githubusercontent.com/someone/NullTextResearch/{commit}/*"
        );
        // Each document of the symbols lies below a linked folder or is embedded.
        string[] linked = [.. map.RootElement.GetProperty("documents").EnumerateObject().Select(entry => entry.Name.TrimEnd('*'))];
        string[] documents = [.. reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name))];
        Assert.Contains(documents, name => name.EndsWith("INotebookHost.cs", StringComparison.Ordinal));
        Assert.All(documents, name => Assert.Contains(linked, folder => name.StartsWith(folder, StringComparison.Ordinal)));
    }
}
