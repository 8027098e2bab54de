namespace NullTextResearch.Images;

/// <summary>Which image sizes a model takes.</summary>
/// <param name="Unit">Both sides are multiples of this: the autoencoder's factor, 8 for Stable Diffusion.</param>
/// <param name="OwnSide">Pixels per side of the square images that the model was trained on, where it works best.</param>
public sealed record SizeRule(int Unit, int OwnSide)
{
    /// <summary>The longest side that is allowed. Beyond it these models repeat themselves, and nothing here was tried.</summary>
    public const int Most = 1024;

    /// <summary>Whether a size is allowed.</summary>
    public bool Allows(PixelSize size) => AllowsSide(size.Width) && AllowsSide(size.Height);

    /// <summary>Refuses a size that the model does not take.</summary>
    /// <param name="size">The size.</param>
    /// <exception cref="ArgumentException">
    /// A side is no multiple of <see cref="Unit"/>, or beyond <see cref="Most"/>; the message has the nearest size that is allowed.
    /// </exception>
    public void Require(PixelSize size)
    {
        if (Allows(size))
            return;
        string why = Math.Max(size.Width, size.Height) > Most ? $"a side may have {Most} pixels at most" : $"both sides must be multiples of {Unit}";
        throw new ArgumentException(
            $"an image size of {size} pixels cannot be used: {why}. The nearest is {new PixelSize(Nearest(size.Width), Nearest(size.Height))}; this model "
                + $"was trained at {(PixelSize)OwnSide}."
        );
    }

    /// <summary>The size that keeps an image's ratio of sides and has about as many pixels as the model's own square.</summary>
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
