using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Tests.Images;

public sealed class ImagePreparationTests
{
    [Fact]
    public void Defaults_AreTheReleasedCodes()
    {
        ImagePreparation defaults = new ImagePreparation();
        Assert.Equal(
            new ImagePreparation
            {
                Left = 0,
                Top = 0,
                Right = 0,
                Bottom = 0,
                CentreCut = true,
                Size = 512,
                Filter = ResizeFilter.Bicubic,
            },
            defaults
        );
    }

    [Fact]
    public void Apply_CropOffsets_CutTheNamedEdges()
    {
        // Red holds the column, green the row.
        RgbImage cropped = new ImagePreparation
        {
            Left = 1,
            Top = 2,
            Right = 3,
            Bottom = 4,
            CentreCut = false,
            Size = null,
        }.Apply(Coordinates(20, 30));
        Assert.Equal((16, 24), (cropped.Width, cropped.Height));
        Assert.Equal([1, 2, 0], cropped.Rgb[..3]);
        Assert.Equal([16, 25, 0], cropped.Rgb[^3..]);
    }

    [Theory]
    [InlineData(21, 10, 5, 0)]
    [InlineData(10, 21, 0, 5)]
    [InlineData(10, 10, 0, 0)]
    public void Apply_CentreCut_CutsTheLongerSide(int width, int height, int x, int y)
    {
        RgbImage square = new ImagePreparation { Size = null }.Apply(Coordinates(width, height));
        Assert.Equal((10, 10), (square.Width, square.Height));
        Assert.Equal([(byte)x, (byte)y, (byte)0], square.Rgb[..3]);
    }

    [Fact]
    public void Apply_OffsetsThenSquareThenResize_InThatOrder()
    {
        RgbImage result = new ImagePreparation { Top = 10, Size = 8 }.Apply(Coordinates(40, 30));
        Assert.Equal((8, 8), (result.Width, result.Height));

        // Columns 10..29 and rows 10..29 remain; the mean of their coordinates is 19.5.
        Assert.Equal(19.5, Mean(result, 0), 0.5);
        Assert.Equal(19.5, Mean(result, 1), 0.5);
    }

    [Theory]
    [InlineData(21, 10, 2, 1, 20, 10)]
    [InlineData(21, 10, 1, 2, 5, 10)]
    [InlineData(40, 30, 4, 3, 40, 30)]
    [InlineData(1, 9, 9, 1, 1, 1)]
    public void Apply_NoSquare_CutsToTheShapeOfTheSize(int width, int height, int shapeWidth, int shapeHeight, int cutWidth, int cutHeight)
    {
        // At the cut's own size nothing is resized, so that every pixel says where it came from.
        PixelSize size = new(cutWidth, cutHeight);
        RgbImage cut = new ImagePreparation { Size = size }.Apply(Coordinates(width, height));
        Assert.Equal(size, PixelSize.Of(cut));
        Assert.Equal([(byte)((width - cutWidth) / 2), (byte)((height - cutHeight) / 2), (byte)0], cut.Rgb[..3]);
        Assert.Equal(
            new PixelSize(shapeWidth, shapeHeight),
            PixelSize.Of(new ImagePreparation { Size = new PixelSize(shapeWidth, shapeHeight) }.Apply(Coordinates(width, height)))
        );
    }

    [Fact]
    public void Apply_SizingOfAModel_ActsOnWhatTheOffsetsLeave()
    {
        ImagePreparation preparation = new() { Left = 8 };
        SizeRule rule = new(4, 16);
        Assert.Equal(new PixelSize(16, 16), PixelSize.Of(preparation.Apply(Coordinates(40, 32), ImageSizing.Own, rule)));
        Assert.Equal(new PixelSize(32, 32), PixelSize.Of(preparation.Apply(Coordinates(40, 32), ImageSizing.AsIs, rule)));
        Assert.Equal(new PixelSize(16, 16), PixelSize.Of(preparation.Apply(Coordinates(40, 32), ImageSizing.Keep, rule)));
        Assert.Throws<ArgumentException>(() => preparation.Apply(Coordinates(41, 32), ImageSizing.AsIs, rule));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(12, 8)]
    public void Apply_ImpossibleCrop_Throws(int left, int right) =>
        Assert.Throws<ArgumentException>(() => new ImagePreparation { Left = left, Right = right }.Apply(Coordinates(20, 20)));

    private static double Mean(RgbImage image, int channel) => image.Rgb.Where((_, i) => i % 3 == channel).Average(b => b);

    private static RgbImage Coordinates(int width, int height)
    {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++)
        {
            rgb[3 * i] = (byte)(i % width);
            rgb[(3 * i) + 1] = (byte)(i / width);
        }

        return new RgbImage(width, height, rgb);
    }
}
