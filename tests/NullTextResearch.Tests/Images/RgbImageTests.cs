using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Tests.Images;

public sealed class RgbImageTests
{
    [Fact]
    public void FromRgb_ForeignBytes_CopiesThemIn_AndCopyToGivesThemBack()
    {
        byte[] foreign = [.. Enumerable.Range(0, 18).Select(i => (byte)(i * 13))];
        RgbImage image = RgbImage.FromRgb(foreign, 3, 2);
        byte[] expected = [.. foreign];
        foreign[0] = 99;

        byte[] back = new byte[20];
        image.CopyTo(back);

        Assert.Equal(expected, back[..18]);
        Assert.Equal((3, 2), (image.Width, image.Height));
    }

    [Theory]
    [InlineData(2, 2, 11)]
    [InlineData(2, 2, 16)]
    [InlineData(50_000, 50_000, 3)]
    public void FromRgb_WrongLength_SaysWhatIsNeeded(int width, int height, int length)
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => RgbImage.FromRgb(new byte[length], width, height));
        Assert.Contains($"{(long)width * height * 3} bytes", error.Message);
        Assert.Contains($"got {length}", error.Message);
    }

    [Fact]
    public void Constructor_NoPixels_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => new RgbImage(0, 4, []));

    [Fact]
    public void CopyTo_ShortDestination_Throws() => Assert.Throws<ArgumentException>(() => new RgbImage(2, 1, new byte[6]).CopyTo(new byte[5]));

    [Fact]
    public void Equals_SamePixels_IsTrue_OtherShapeOrByte_IsFalse()
    {
        RgbImage image = new RgbImage(2, 1, [1, 2, 3, 4, 5, 6]);
        Assert.Equal(image, new RgbImage(2, 1, [1, 2, 3, 4, 5, 6]));
        Assert.Equal(image.GetHashCode(), new RgbImage(2, 1, [1, 2, 3, 4, 5, 6]).GetHashCode());
        Assert.NotEqual(image, new RgbImage(1, 2, [1, 2, 3, 4, 5, 6]));
        Assert.NotEqual(image, new RgbImage(2, 1, [1, 2, 3, 4, 5, 7]));
    }
}
