using NullTextResearch.Experiments;
using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Tests.Experiments;

/// <summary>Images with captions and planned edits, as they lie in folders.</summary>
public sealed class ExampleImagesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-images-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Photographs_AllOfThem_HaveCaptionsEditsAndTheModelsSize()
    {
        IReadOnlyList<ExperimentImage> all = ExperimentImages.Photographs(new SizeRule(8, 512));
        Assert.Equal(7, all.Count);
        Assert.All(
            all,
            image =>
            {
                Assert.Equal(new PixelSize(512, 512), PixelSize.Of(image.Image));
                Assert.NotEmpty(image.Edits);
                Assert.DoesNotContain(image.Edits, e => e.Prompt.Contains('|', StringComparison.Ordinal));
                Assert.All(
                    image.Edits.Where(e => e.SourceBlendWord is not null),
                    e =>
                    {
                        Assert.Contains(e.SourceBlendWord!, image.Caption.Split(' '));
                        Assert.Contains(e.TargetBlendWord!, e.Prompt.Split(' '));
                    }
                );
            }
        );
        Assert.True(all.Sum(i => i.Edits.Count(e => e.SourceBlendWord is not null)) >= 7);
    }

    [Theory]
    [InlineData("a dog on a mat | cat", "cat", "dog")]
    [InlineData("a dog on a mat | dog", "cat", "dog")]
    [InlineData("a cat on a red mat | mat", "mat", "mat")]
    [InlineData("a dog on a mat", null, null)]
    public void TextBeside_WordAfterTheBar_HasAPlaceInBothPrompts(string line, string? source, string? target)
    {
        string image = Path.Combine(_folder, "a.png");
        File.WriteAllText(Path.ChangeExtension(image, ".txt"), $"a cat on a mat.\n\n{line}\n");
        (string caption, IReadOnlyList<PlannedEdit> edits) = ExperimentImages.TextBeside(image)!.Value;
        Assert.Equal("a cat on a mat.", caption);
        PlannedEdit edit = Assert.Single(edits);
        Assert.Equal((line.Split('|')[0].Trim(), source, target), (edit.Prompt, edit.SourceBlendWord, edit.TargetBlendWord));
    }

    [Theory]
    [InlineData("a dog on a mat | bird", "in neither prompt")]
    [InlineData("a dog and a cat on a mat | dog", "different word counts")]
    public void TextBeside_WordWithoutAPlace_IsRefused(string line, string why)
    {
        string image = Path.Combine(_folder, "a.png");
        File.WriteAllText(Path.ChangeExtension(image, ".txt"), $"a cat on a mat\n{line}");
        Assert.Contains(why, Assert.Throws<ImageFileException>(() => ExperimentImages.TextBeside(image)).Message);
        Assert.Null(ExperimentImages.TextBeside(Path.Combine(_folder, "b.png")));
    }

    [Theory]
    [InlineData(512, "photos")]
    [InlineData(768, "photos")]
    [InlineData(64, "toy")]
    public void SetFor_ModelsOwnSize_Decides(int side, string set) => Assert.Equal(set, ExperimentImages.SetFor(new SizeRule(8, side)));
}
