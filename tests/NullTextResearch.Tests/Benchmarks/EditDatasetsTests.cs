using NullTextResearch.Benchmarks;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

/// <summary>The data sets that studies can name.</summary>
public sealed class EditDatasetsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-data-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Shipped_ToyEdits_AreTheFirstOnes()
    {
        IEditDataset some = EditDatasets.Shipped.Find("toy-edit").Open(new StudyData { Dataset = "toy-edit", Count = 9 });
        Assert.Equal(new ToyEditDataset(9).Tasks.Select(t => t.Id), some.Tasks.Select(t => t.Id));
        ArgumentException unknown = Assert.Throws<ArgumentException>(() => EditDatasets.Shipped.Find("toy-edits"));
        Assert.Contains("did you mean 'toy-edit'?", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shipped_Pie_CountTakesTheFirstTasks()
    {
        PieFolder.Write(_folder, count: 7, side: PieDataset.PublishedSide);
        EditDatasetSource source = EditDatasets.Shipped.Find("pie");
        IEditDataset whole = source.Open(new StudyData { Dataset = "pie", Folder = _folder });
        Assert.True(whole.Tasks.Count > 2);
        IEditDataset two = source.Open(
            new StudyData
            {
                Dataset = "pie",
                Folder = _folder,
                Count = 2,
            }
        );
        Assert.Equal(whole.Tasks.Take(2).Select(t => t.Id), two.Tasks.Select(t => t.Id));
        Assert.Equal(whole.PictureHash(whole.Tasks[1]), two.PictureHash(two.Tasks[1]));
        Assert.Equal(whole.Picture(whole.Tasks[1]).Rgb, two.Picture(two.Tasks[1]).Rgb);
        ArgumentOutOfRangeException many = Assert.Throws<ArgumentOutOfRangeException>(() => new EditSubset(whole, whole.Tasks.Count + 1));
        Assert.Contains($"has {whole.Tasks.Count} tasks", many.Message, StringComparison.Ordinal);
    }
}
