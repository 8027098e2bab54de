using NullTextResearch.Images;
using NullTextResearch.TestKit;
using SkiaSharp;
using Xunit;

namespace NullTextResearch.Tests.Images;

public sealed class ImageFileTests : ImageReaderTests
{
    [Fact]
    public void SavePng_ThenLoad_GivesTheSamePixels()
    {
        RgbImage image = Gradient(37, 21);
        string path = Path.Combine(Folder, "new", "folder", "a.png");
        ImageFile.SavePng(image, path);
        Assert.Equal(image, ImageFile.Load(path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void SavePng_ExistingFile_IsReplaced_AndUnwritablePlaceLeavesNothing()
    {
        string path = Path.Combine(Folder, "a.png");
        ImageFile.SavePng(Gradient(5, 5), path);
        ImageFile.SavePng(Gradient(6, 4), path);
        Assert.Equal(Gradient(6, 4), ImageFile.Load(path));

        // A folder with the file's name cannot be replaced by a file.
        string blocked = Path.Combine(Folder, "b.png");
        Directory.CreateDirectory(blocked);
        Assert.ThrowsAny<Exception>(() => ImageFile.SavePng(Gradient(6, 4), blocked));
        Assert.Equal(["a.png"], Directory.GetFiles(Folder).Select(Path.GetFileName));
    }

    [Fact]
    public void EncodePng_SamePixels_GivesSameBytes() => Assert.Equal(ImageFile.EncodePng(Gradient(9, 9)), ImageFile.EncodePng(Gradient(9, 9)));

    /// <summary>What a large picture costs: the 3 bytes a pixel that are returned, whatever way it is turned.</summary>
    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Load_LargePicture_AllocatesWhatItReturns(SKEncodedImageFormat format)
    {
        const int Width = 2400,
            Height = 1600;
        byte[] file = Encode(Gradient(Width, Height), format);
        if (format == SKEncodedImageFormat.Jpeg)
            file = WithOrientation(file, 6);
        ImageFile.Decode(Encode(Gradient(8, 8), format), "warm");
        long before = GC.GetAllocatedBytesForCurrentThread();
        RgbImage image = ImageFile.Decode(file, "large");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, image.Rgb.Length, image.Rgb.Length + 100_000);
    }

    protected override RgbImage Load(string path, ImageLoadOptions? options = null) => ImageFile.Load(path, options);

    protected override RgbImage Decode(byte[] bytes, string name = "(memory)", ImageLoadOptions? options = null) => ImageFile.Decode(bytes, name, options);
}
