using NullTextResearch.Training;
using Xunit;

namespace NullTextResearch.Tests.Training;

public sealed class ResultStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Path => System.IO.Path.Combine(_folder, "evaluation.json");

    [Fact]
    public void Find_AfterReopening_GivesTheNumbersOfTheSameModelOnly()
    {
        ResultStore store = new(Path, "m");
        store.Add("b/1", 0.1 + 0.2, double.NaN);
        store.Add("a/1", -3);
        ResultStore again = new(Path, "m");
        Assert.Equal([0.1 + 0.2, double.NaN], again.Find("b/1")!);
        Assert.Equal([-3.0], again.Find("a/1")!);
        Assert.Null(again.Damage);
        ResultStore other = new(Path, "n");
        Assert.Null(other.Find("a/1"));
        Assert.Null(other.Damage);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("{\"Model\":\"m\",\"Values\":{\"a\":[1]}}")]
    [InlineData("{\"Model\":\"m\",\"Values\":{\"a\":null},\"Sha256\":\"0\"}")]
    [InlineData("{\"Model\":\"m\",\"Values\":null,\"Sha256\":\"0\"}")]
    [InlineData("{\"Model\":\"\\ud800\",\"Values\":{},\"Sha256\":\"0\"}")]
    public void Open_DamagedFile_MeasuresAgainAndSaysSo(string text)
    {
        File.WriteAllText(Path, text);
        ResultStore store = new(Path, "m");
        Assert.Null(store.Find("a"));
        Assert.Contains("measured again", store.Damage, StringComparison.Ordinal);
        store.Add("a", 2);
        Assert.Equal([2.0], new ResultStore(Path, "m").Find("a")!);
    }

    [Fact]
    public void Open_DigitChanged_IsNoticed()
    {
        new ResultStore(Path, "m").Add("a", 27.469);
        File.WriteAllText(Path, File.ReadAllText(Path).Replace("27.469", "27.479", StringComparison.Ordinal));
        ResultStore store = new(Path, "m");
        Assert.Null(store.Find("a"));
        Assert.Contains("checksum", store.Damage, StringComparison.Ordinal);
    }
}
