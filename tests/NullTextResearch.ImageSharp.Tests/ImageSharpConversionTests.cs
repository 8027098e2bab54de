using NullTextResearch.Hosting;
using NullTextResearch.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using TorchSharp;
using Xunit;

namespace NullTextResearch.ImageSharp.Tests;

public sealed class ImageSharpConversionTests
{
    // 5 x 3, every byte another.
    private static readonly RgbImage Picture = new(5, 3, [.. Enumerable.Range(0, 45).Select(i => (byte)(i * 5))]);

    [Fact]
    public void ThereAndBack_KeepsEveryByte()
    {
        using Image<Rgb24> rgb = Picture.ToImageSharp();
        using Image<Rgba32> rgba = Picture.ToImageSharpRgba();
        Assert.Equal(Picture, rgb.ToRgbImage());
        Assert.Equal(Picture, rgba.ToRgbImage());
        Assert.Equal(new Rgb24(Picture.Rgb[18], Picture.Rgb[19], Picture.Rgb[20]), rgb[1, 1]);
        // A copy: what ImageSharp does to its picture does not reach the image.
        rgb[0, 0] = new Rgb24(9, 9, 9);
        Assert.NotEqual(Picture, rgb.ToRgbImage());
        Assert.Equal(0, Picture.Rgb[0]);
    }

    [Theory]
    [InlineData(AlphaHandling.OnWhite, 226, 155)]
    [InlineData(AlphaHandling.OnBlack, 71, 0)]
    [InlineData(AlphaHandling.Discard, 181, 0)]
    public void ToRgbImage_Transparency_IsBlendedAsTheLibraryDoes(AlphaHandling alpha, byte red, byte green)
    {
        using Image<Rgba32> image = new(1, 1, new Rgba32(181, 0, 0, 100));
        Assert.Equal([red, green, green], image.ToRgbImage(alpha).Rgb);
    }

    [Fact]
    public void Tensors_EqualTheLibrarysOwn()
    {
        using torch.Tensor own = ImageTensor.ToPixels(Picture, dtype: torch.ScalarType.Float64);
        using Image<Rgb24> rgb = Picture.ToImageSharp();
        using Image<Rgba32> rgba = Picture.ToImageSharpRgba();
        using torch.Tensor ofRgb = rgb.ToPixels(dtype: torch.ScalarType.Float64),
            ofRgba = rgba.ToPixels(dtype: torch.ScalarType.Float64);
        Assert.Equal(own.data<double>().ToArray(), ofRgb.data<double>().ToArray());
        Assert.Equal(own.data<double>().ToArray(), ofRgba.data<double>().ToArray());
        Image<Rgb24>[] back = own.ToImageSharp();
        using Image<Rgb24> only = Assert.Single(back);
        Assert.Equal(ImageTensor.ToImages(own)[0], only.ToRgbImage());
    }

    /// <summary>Every pixel format is shown, by the same path as an image of the library.</summary>
    [Fact]
    public void StandIn_AnyPicture_IsAnImage()
    {
        using Image<Rgb24> rgb = Picture.ToImageSharp();
        using Image<Rgba32> rgba = Picture.ToImageSharpRgba();
        using Image<L8> grey = new(2, 2, new L8(77));
        Assert.Equal(Picture, Notebook.StandIn(rgb));
        Assert.Equal(Picture, Notebook.StandIn(rgba));
        Assert.Equal(new RgbImage(2, 2, [.. Enumerable.Repeat((byte)77, 12)]), Notebook.StandIn(grey));
        Assert.Null(ImageSharpViews.Of("a text"));
    }

    /// <summary>What stands in for a picture may have a stand-in of its own; two that name each other end.</summary>
    [Fact]
    public void StandIn_OfAStandIn_IsAskedForToo()
    {
        Notebook.ShowInstead(v =>
            v switch
            {
                First => new Second(),
                Second => "seen",
                Left => new Right(),
                Right => new Left(),
                _ => null,
            }
        );
        Assert.Equal("seen", Notebook.StandIn(new First()));
        Assert.NotNull(Notebook.StandIn(new Left()));
    }

    private sealed record First;

    private sealed record Second;

    private sealed record Left;

    private sealed record Right;
}
