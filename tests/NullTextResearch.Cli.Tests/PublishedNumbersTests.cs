using System.Text.Json;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>The README's verdicts are those of the committed run, and that run used the shipped weights (build/remake.sh makes them).</summary>
public sealed class PublishedNumbersTests
{
    [Fact]
    public void Readme_Verdicts_AreTheCommittedRuns()
    {
        string[] published = [.. Block("README.md", "verdicts")],
            run = [.. File.ReadLines(At("docs/reproduction/claims.md")).Where(line => line.Length > 0)];
        Assert.Equal(run, published);
        foreach (string row in run.Skip(2))
        {
            string[] cells = [.. row.Trim('|').Split('|').Select(c => c.Trim())];
            Assert.True(int.Parse(cells[4], System.Globalization.CultureInfo.InvariantCulture) >= Figures.Claim.FewestImages, row);
            Assert.Contains(cells[5], (string[])["reproduced", "partly", "not reproduced"]);
        }
    }

    [Fact]
    public void CommittedRun_Weights_AreTheShippedOnes()
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(At("docs/reproduction/fig04.json")));
        using StableDiffusion model = StableDiffusion.LoadMini();
        Assert.Equal(model.Fingerprint(), manifest.RootElement.GetProperty("model").GetProperty("sha256").GetString());
    }

    [Fact]
    public void ModelReadme_Tables_NameNoBarTwice()
    {
        string[] measures = [.. Block("data/models/sd-mini/README.md", "evaluation").Skip(2).Select(row => row.Trim('|').Split('|')[0].Trim())];
        Assert.NotEmpty(measures);
        Assert.Equal(measures.Distinct(), measures);
    }

    private static string At(string path) => SourceTree.At(path);

    /// <summary>The lines between a document's marks of a name.</summary>
    private static IEnumerable<string> Block(string document, string name) =>
        File.ReadLines(At(document)).SkipWhile(line => line != $"<!-- {name} -->").Skip(1).TakeWhile(line => line != $"<!-- /{name} -->");
}
