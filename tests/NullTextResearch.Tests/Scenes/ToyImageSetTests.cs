using NullTextResearch.Scenes;
using NullTextResearch.TestKit;
using SkiaSharp;
using Xunit;

namespace NullTextResearch.Tests.Scenes;

public sealed class ToyImageSetTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"toy-images-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Choose_ShippedCount_ShowsEveryKindTwiceAndEveryBackgroundThrice()
    {
        IReadOnlyList<ToyImage> images = ToyImageSet.Choose();
        Assert.All(ToyScenes.Kinds, k => Assert.Equal(2, images.Count(i => i.Scene.Objects[0].Kind == k)));
        Assert.All(ToyScenes.Backgrounds, b => Assert.Equal(3, images.Count(i => i.Scene.Background == b)));
        Assert.True(images.Select(i => i.Plan.Edit.GetType()).Distinct().Count() >= 5);
        Assert.Equal(images.Count, images.Select(i => i.File).Distinct().Count());
    }

    [Fact]
    public void Read_AfterWrite_ReturnsTheSameScenesAndEdits()
    {
        IReadOnlyList<ToyImage> written = ToyImageSet.Write(_folder, 32, 6);
        IReadOnlyList<ToyImage> read = ToyImageSet.Read(_folder);
        Assert.Equal(
            written.Select(i => (i.File, i.Seed, i.Scene, i.Plan.Edit, i.Plan.TargetCaption)),
            read.Select(i => (i.File, i.Seed, i.Scene, i.Plan.Edit, i.Plan.TargetCaption))
        );
        Assert.All(read, i => Assert.True(new FileInfo(Path.Combine(_folder, i.File)).Length > 200));
    }

    [Fact]
    public void Read_ShippedSet_AgreesWithTheScenesOfToday()
    {
        string folder = SourceTree.At("data", "images", "toy");
        IReadOnlyList<ToyImage> shipped = ToyImageSet.Read(folder);
        Assert.Equal(
            ToyImageSet.Choose().Select(i => (i.File, i.Caption, i.Plan.TargetCaption)),
            shipped.Select(i => (i.File, i.Caption, i.Plan.TargetCaption))
        );

        using SceneRenderer renderer = new SceneRenderer();
        foreach (ToyImage image in shipped)
        {
            // Another processor may round a pixel differently; another picture would differ by far more.
            using SKBitmap bitmap = SkiaSharp.SKBitmap.Decode(Path.Combine(folder, image.File));
            byte[] today = renderer.Render(image.Scene, bitmap.Width);
            double sum = 0;
            for (int i = 0; i < today.Length; i += 3)
            {
                SKColor p = bitmap.GetPixel(i / 3 % bitmap.Width, i / 3 / bitmap.Width);
                sum += Math.Abs(p.Red - today[i]) + Math.Abs(p.Green - today[i + 1]) + Math.Abs(p.Blue - today[i + 2]);
            }
            Assert.InRange(sum / today.Length, 0, 0.1);
        }
    }

    [Fact]
    public void Read_MissingMalformedOrForeignList_SaysSo()
    {
        Assert.Throws<FileNotFoundException>(() => ToyImageSet.Read(_folder));
        ToyImageSet.Write(_folder, 32, 2);
        string list = Path.Combine(_folder, ToyImageSet.ListName),
            text = File.ReadAllText(list);
        File.WriteAllText(list, text.Replace(ToyImageSet.Choose(2)[0].Caption, "a unicorn in the snow", StringComparison.Ordinal));
        Assert.Contains("scenes have changed", Assert.Throws<InvalidDataException>(() => ToyImageSet.Read(_folder)).Message, StringComparison.Ordinal);
        File.WriteAllText(list, text[..100]);
        Assert.Contains(ToyImageSet.ListName, Assert.Throws<InvalidDataException>(() => ToyImageSet.Read(_folder)).Message, StringComparison.Ordinal);
    }
}
