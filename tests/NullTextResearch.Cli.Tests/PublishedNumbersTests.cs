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

    [Theory]
    [InlineData("pairs", 24)]
    [InlineData("metrics", 12)]
    public void Benchmark_Tables_AreTheCommittedRuns(string name, int rows)
    {
        string[][] csv = [.. File.ReadLines(At($"docs/benchmarks/edits/{name}.csv")).Select(line => line.Split(','))];
        string[] head = csv[0];
        int keys = name == "pairs" ? 2 : 1;
        string[] columns = name == "pairs" ? ["success", "truth-distance", "preservation"] : ["pairs-rho", "tasks-rho", "within-tasks-rho"];
        double[] scale = name == "pairs" ? [100, 1000, 1] : [1, 1, 1];
        string[][] published = [.. Block("docs/benchmarks.md", name).Skip(2).Select(row => row.Trim('|').Split('|').Select(c => c.Trim()).ToArray())];

        Assert.Equal(rows, published.Length);
        Assert.Equal(csv.Skip(1).Select(Key).Order(StringComparer.Ordinal), published.Select(Key).Order(StringComparer.Ordinal));
        foreach (string[] line in published)
        {
            string[] numbers = csv.Skip(1).Single(c => Key(c) == Key(line));
            for (int i = 0; i < columns.Length; i++)
            {
                double[] shown = [.. line[keys + i].Split(' ', '(', ')').Where(w => w.Length > 0 && w != "to").Select(Number)];
                int column = Array.IndexOf(head, columns[i]);
                // Rounded to at most two digits behind the point, and at least to whole percents.
                double half = name == "pairs" ? (i == 0 ? 0.501 : 0.0501) : 0.00501;
                Assert.Equal(3, shown.Length);
                Assert.All(shown, (value, k) => Assert.InRange(value - (scale[i] * Number(numbers[column + k])), -half, half));
            }
        }

        string Key(string[] cells) => string.Join(' ', cells.Take(keys));
        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void NullTextVariants_Table_IsTheCommittedRun()
    {
        // Every cell of the page is one of the run, in its order; a line of the run has more.
        string[][] csv =
        [
            .. File.ReadLines(At("docs/benchmarks/null-text/variants.csv"))
                .Select(line => QuotedCell.Matches(line).Select(m => (m.Groups[1].Success ? m.Groups[1] : m.Groups[2]).Value).ToArray()),
        ];
        string[][] published =
        [
            .. Block("docs/benchmarks.md", "null-text-t50").Skip(2).Select(row => row.Split(" | ").Select(c => c.Trim('|', ' ')).ToArray()),
        ];
        int[] columns =
        [
            .. new[]
            {
                "variant",
                "cost",
                "share",
                "PSNR to the picture, dB",
                "picture, against the first",
                "pivot, against the first",
                "edit, against the first",
            }.Select(c => Array.IndexOf(csv[0], c)),
        ];
        Assert.DoesNotContain(-1, columns);
        Assert.Equal(csv.Length - 1, published.Length);
        Assert.All(csv.Skip(1).Zip(published), p => Assert.Equal(columns.Select(c => p.First[c]), p.Second.Take(columns.Length)));
    }

    private static readonly System.Text.RegularExpressions.Regex QuotedCell = new("(?:^|,)(?:\"([^\"]*)\"|([^,]*))");

    private static string At(string path) => SourceTree.At(path);

    /// <summary>The lines between a document's marks of a name.</summary>
    private static IEnumerable<string> Block(string document, string name) =>
        File.ReadLines(At(document)).SkipWhile(line => line != $"<!-- {name} -->").Skip(1).TakeWhile(line => line != $"<!-- /{name} -->");
}
