using NullTextResearch.Images;
using SkiaSharp;

namespace NullTextResearch.Figures.Tests;

public sealed class ImageGridTests
{
    [Fact]
    public void Draw_SmallPictures_AreEnlargedByAWholeFactorPixelForPixel()
    {
        RgbImage[] inputs = [Noise(64, 64, 1), Noise(64, 64, 2), Noise(128, 128, 3), Noise(200, 100, 4)];
        ImageGrid grid = new()
        {
            Title = "title",
            ColumnLabels = ["one", "two"],
            RowLabels = ["first", "second"],
            Rows =
            [
                [new GridCell(inputs[0]) { Label = "a", Highlight = true }, new GridCell(inputs[1])],
                [new GridCell(inputs[2]), new GridCell(inputs[3]) { Label = "d" }],
            ],
        };

        GridPicture drawn = grid.Draw();

        CellPlace[] places = [.. drawn.Places.SelectMany(row => row).Select(place => place!.Value)];
        Assert.Equal([(192, 192), (192, 192), (256, 256), (200, 100)], places.Select(place => (place.Width, place.Height)));
        for (int i = 0; i < inputs.Length; i++)
        {
            AssertShown(drawn.Picture, places[i], inputs[i]);
        }
    }

    [Fact]
    public void Draw_Cells_DoNotOverlapAndLieInside()
    {
        GridPicture drawn = SampleReport.Grid.Draw();

        CellPlace[] places = [.. drawn.Places.SelectMany(row => row).OfType<CellPlace>()];
        Assert.Equal(11, places.Length);
        Assert.Null(drawn.Places[1][4]);
        Assert.All(
            places,
            place => Assert.True(place.X >= 0 && place.Y >= 0 && place.X + place.Width <= drawn.Picture.Width && place.Y + place.Height <= drawn.Picture.Height)
        );
        for (int i = 0; i < places.Length; i++)
        {
            for (int j = 0; j < i; j++)
            {
                (CellPlace a, CellPlace b) = (places[i], places[j]);
                bool apart = a.X + a.Width <= b.X || b.X + b.Width <= a.X || a.Y + a.Height <= b.Y || b.Y + b.Height <= a.Y;
                Assert.True(apart, $"{a} overlaps {b}");
            }
        }
    }

    [Fact]
    public void Draw_LargePicture_IsReducedAndKeepsItsColours()
    {
        RgbImage flat = new(600, 300, [.. Enumerable.Range(0, 600 * 300 * 3).Select(i => (byte)(40 + (i % 3 * 70)))]);

        GridPicture drawn = new ImageGrid
        {
            Rows =
            [
                [new GridCell(flat)],
            ],
        }.Draw();

        CellPlace place = drawn.Places[0][0]!.Value;
        Assert.Equal((256, 128), (place.Width, place.Height));
        Assert.Equal([40, 110, 180], PixelAt(drawn.Picture, place.X + 100, place.Y + 60));
    }

    [Fact]
    public void Draw_Labels_PutInkWhereTheyBelong()
    {
        GridCell cell = new(Noise(32, 32, 1));
        ImageGrid bare = new()
        {
            Rows =
            [
                [cell],
            ],
        };

        CellPlace plain = bare.Draw().Places[0][0]!.Value;
        GridPicture labelled = (
            bare with
            {
                Title = "Title",
                Subtitle = "subtitle",
                ColumnLabels = ["column"],
                RowLabels = ["row"],
                Rows =
                [
                    [cell with { Label = "beneath" }],
                ],
            }
        ).Draw();

        CellPlace place = labelled.Places[0][0]!.Value;
        Assert.True(place.X > plain.X && place.Y > plain.Y);
        Assert.True(Ink(labelled.Picture, 0, 0, labelled.Picture.Width, place.Y - 1) > 300, "title, subtitle and column label");
        Assert.True(Ink(labelled.Picture, 0, place.Y, place.X - 1, place.Y + place.Height) > 60, "row label");
        Assert.True(Ink(labelled.Picture, place.X, place.Y + place.Height + 1, place.X + place.Width, labelled.Picture.Height) > 100, "cell label");
    }

    [Fact]
    public void Draw_Letters_AreDifferentGlyphs()
    {
        // A missing font draws the same box, or nothing, for every letter.
        int[] ink =
        [
            .. "iwM±→".Select(letter =>
            {
                RgbImage picture = new ImageGrid
                {
                    Rows =
                    [
                        [new GridCell(Noise(32, 32, 1)) { Label = letter.ToString() }],
                    ],
                }
                    .Draw()
                    .Picture;
                return Ink(picture, 0, 180, picture.Width, picture.Height);
            }),
        ];

        Assert.All(ink, count => Assert.True(count > 0));
        Assert.Equal(ink.Length, ink.Distinct().Count());
    }

    [Fact]
    public void Draw_LongLabel_IsWrappedToItsCell()
    {
        GridCell cell = new(Noise(32, 32, 1)) { Label = "a very long caption of a picture that needs several lines and oneverylongwordwithoutanyspaceinside" };

        GridPicture drawn = new ImageGrid
        {
            Rows =
            [
                [cell],
            ],
        }.Draw();

        CellPlace place = drawn.Places[0][0]!.Value;
        Assert.True(drawn.Picture.Height > place.Y + place.Height + (4 * 15));
        Assert.Equal(0, Ink(drawn.Picture, 0, 0, place.X - 1, drawn.Picture.Height));
        Assert.Equal(0, Ink(drawn.Picture, place.X + place.Width + 1, 0, drawn.Picture.Width, drawn.Picture.Height));
    }

    [Fact]
    public void Wrap_AnyText_KeepsEveryLetterAndFitsTheWidth()
    {
        using LabelFont font = new(15, SKColors.Black);
        const string Text = "some words and anunbreakablelongword\nthen a new line";

        IReadOnlyList<string> lines = font.Wrap(Text, 70);

        Assert.Equal(Text.Replace(" ", "").Replace("\n", ""), string.Concat(lines).Replace(" ", ""));
        Assert.All(lines, line => Assert.True(font.Width(line) <= 70, line));
    }

    [Fact]
    public void Wrap_LongNameWithHyphens_BreaksAfterThem()
    {
        using LabelFont font = new(15, SKColors.Black);

        Assert.Equal(["prompt-to-", "prompt"], font.Wrap("prompt-to-prompt", font.Width("prompt-to-pro")));
    }

    [Fact]
    public void Draw_Highlight_FramesOutsideThePicture()
    {
        RgbImage input = Noise(64, 64, 1);
        GridPicture drawn = new ImageGrid
        {
            Rows =
            [
                [new GridCell(input) { Highlight = true }],
            ],
        }.Draw();

        CellPlace place = drawn.Places[0][0]!.Value;
        AssertShown(drawn.Picture, place, input);
        Assert.Equal([0xd5, 0x5e, 0x00], PixelAt(drawn.Picture, place.X - 1, place.Y + 50));
        Assert.Equal([0xd5, 0x5e, 0x00], PixelAt(drawn.Picture, place.X + place.Width, place.Y + 50));
        Assert.Equal([0xd5, 0x5e, 0x00], PixelAt(drawn.Picture, place.X + 50, place.Y + place.Height));
    }

    [Fact]
    public void ToPng_Decoded_EqualsThePicture()
    {
        GridPicture drawn = SampleReport.Attention.Draw();

        using SKBitmap decoded = SKBitmap.Decode(drawn.ToPng());

        Assert.Equal((drawn.Picture.Width, drawn.Picture.Height), (decoded.Width, decoded.Height));
        foreach ((int x, int y) in ((int, int)[])[(0, 0), (40, 90), (300, 120), (drawn.Picture.Width - 1, drawn.Picture.Height - 1)])
        {
            SKColor color = decoded.GetPixel(x, y);
            Assert.Equal([color.Red, color.Green, color.Blue], PixelAt(drawn.Picture, x, y));
        }
    }

    [Fact]
    public void FilmStrip_PerRow_WrapsInOrder()
    {
        RgbImage[] images = [.. Enumerable.Range(0, 5).Select(seed => Noise(16, 16, seed))];

        ImageGrid strip = ImageGrid.FilmStrip(images, ["0", "1", "2", "3", "4"], perRow: 3);

        Assert.Equal([3, 2], strip.Rows.Select(row => row.Count));
        Assert.Equal(images, strip.Rows.SelectMany(row => row).Select(cell => cell!.Image));
        Assert.Equal("4", strip.Rows[1][1]!.Label);
    }

    [Fact]
    public void Draw_WrongLabels_ReportsEveryProblem()
    {
        ImageGrid grid = new()
        {
            Rows =
            [
                [new GridCell(Noise(8, 8, 1))],
            ],
            ColumnLabels = ["a", "b"],
            RowLabels = [],
            MinimumCellSize = 300,
        };

        string message = Assert.Throws<ArgumentException>(() => grid.Draw()).Message;

        Assert.Contains("1 columns but 2 column labels", message);
        Assert.Contains("1 rows but 0 row labels", message);
        Assert.Contains("cell sizes 300 to 256", message);
    }

    internal static RgbImage Noise(int width, int height, int seed)
    {
        byte[] rgb = new byte[width * height * 3];
        new Random(seed).NextBytes(rgb);
        return new RgbImage(width, height, rgb);
    }

    internal static byte[] PixelAt(RgbImage image, int x, int y) => image.Rgb.AsSpan(((y * image.Width) + x) * 3, 3).ToArray();

    private static void AssertShown(RgbImage picture, CellPlace place, RgbImage input)
    {
        int factor = place.Width / input.Width;
        Assert.Equal((input.Width * factor, input.Height * factor), (place.Width, place.Height));
        for (int y = 0; y < place.Height; y++)
        {
            for (int x = 0; x < place.Width; x++)
            {
                ReadOnlySpan<byte> shown = picture.Rgb.AsSpan((((place.Y + y) * picture.Width) + place.X + x) * 3, 3);
                ReadOnlySpan<byte> source = input.Rgb.AsSpan((((y / factor) * input.Width) + (x / factor)) * 3, 3);
                if (!shown.SequenceEqual(source))
                {
                    Assert.Fail($"pixel {x},{y} of the cell at {place} is {Convert.ToHexString(shown)}, the input has {Convert.ToHexString(source)}");
                }
            }
        }
    }

    private static int Ink(RgbImage image, int left, int top, int right, int bottom)
    {
        int count = 0;
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
            {
                count += image.Rgb[((y * image.Width) + x) * 3] < 200 ? 1 : 0;
            }
        }

        return count;
    }
}
