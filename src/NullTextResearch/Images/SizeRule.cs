namespace NullTextResearch.Images;

/// <summary>The image sizes that a model accepts.</summary>
/// <param name="Unit">Both sides are multiples of this: the autoencoder's factor, 8 for Stable Diffusion.</param>
/// <param name="OwnSide">Pixels per side of the square images that the model was trained on, where it works best.</param>
public sealed record SizeRule(int Unit, int OwnSide)
{
    /// <summary>The longest side allowed. Beyond it these models repeat content, and larger sizes are untested.</summary>
    public const int Most = 1024;

    /// <summary>Whether a size is allowed.</summary>
    public bool Allows(PixelSize size) => AllowsSide(size.Width) && AllowsSide(size.Height);

    /// <summary>Throws if the model does not take a size.</summary>
    /// <param name="size">The size.</param>
    /// <exception cref="ArgumentException">
    /// A side is not a multiple of <see cref="Unit"/> or exceeds <see cref="Most"/>; the message gives the nearest allowed size.
    /// </exception>
    public void Require(PixelSize size)
    {
        if (Allows(size))
            return;
        string why = Math.Max(size.Width, size.Height) > Most ? $"a side may have at most {Most} pixels" : $"both sides must be multiples of {Unit}";
        throw new ArgumentException(
            $"an image size of {size} pixels cannot be used: {why}. The nearest is {new PixelSize(Nearest(size.Width), Nearest(size.Height))}; this model "
                + $"was trained at {(PixelSize)OwnSide}."
        );
    }

    /// <summary>The size that keeps an image's aspect ratio and has about as many pixels as the model's native square.</summary>
    /// <param name="image">Size of the image.</param>
    /// <returns>An allowed size: each side the nearest multiple of <see cref="Unit"/>, neither above <see cref="Most"/>.</returns>
    public PixelSize KeepRatio(PixelSize image)
    {
        double width = OwnSide * Math.Sqrt((double)image.Width / image.Height),
            height = OwnSide * Math.Sqrt((double)image.Height / image.Width);
        double shrink = Math.Min(1, Most / Math.Max(width, height));
        return new PixelSize(Nearest(width * shrink), Nearest(height * shrink));
    }

    private bool AllowsSide(int side) => side > 0 && side <= Most && side % Unit == 0;

    private int Nearest(double side) => (int)Math.Clamp(Math.Round(side / Unit, MidpointRounding.AwayFromZero), 1, Most / Unit) * Unit;
}
