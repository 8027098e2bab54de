using System.Diagnostics.CodeAnalysis;

namespace NullTextResearch.Images;

/// <summary>How the size of an image is chosen for a model.</summary>
public abstract record ImageSizing
{
    private ImageSizing() { }

    /// <summary>The model's native square; the excess is cropped evenly. The default everywhere.</summary>
    public static ImageSizing Own { get; } = new OwnSquare();

    /// <summary>The image's aspect ratio, with about as many pixels as the model's native square: <see cref="SizeRule.KeepRatio"/>.</summary>
    public static ImageSizing Keep { get; } = new KeptRatio();

    /// <summary>The image's own size, which the model must accept.</summary>
    public static ImageSizing AsIs { get; } = new Unchanged();

    /// <summary>A given size; the excess is cropped evenly.</summary>
    /// <param name="size">The size; a single number means a square.</param>
    public static ImageSizing Of(PixelSize size) => new Given(size);

    /// <summary>Parses <c>own</c>, <c>keep</c>, <c>as-is</c>, <c>512</c> or <c>640x448</c>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="sizing">The parsed value.</param>
    /// <returns>False if the text is none of these.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImageSizing? sizing)
    {
        sizing = text?.Trim() switch
        {
            "own" => Own,
            "keep" => Keep,
            "as-is" => AsIs,
            { } other => PixelSize.TryParse(other, out PixelSize size) ? Of(size) : null,
            null => null,
        };
        return sizing is not null;
    }

    /// <summary>Chooses the size of an image for a model.</summary>
    /// <param name="image">Size of the image after cropping.</param>
    /// <param name="rule">The sizes that the model takes.</param>
    /// <exception cref="ArgumentException">The model does not take the size.</exception>
    public PixelSize For(PixelSize image, SizeRule rule)
    {
        PixelSize size = Choose(image, rule);
        rule.Require(size);
        return size;
    }

    private protected abstract PixelSize Choose(PixelSize image, SizeRule rule);

    private sealed record OwnSquare : ImageSizing
    {
        public override string ToString() => "own";

        private protected override PixelSize Choose(PixelSize image, SizeRule rule) => rule.OwnSide;
    }

    private sealed record KeptRatio : ImageSizing
    {
        public override string ToString() => "keep";

        private protected override PixelSize Choose(PixelSize image, SizeRule rule) => rule.KeepRatio(image);
    }

    private sealed record Unchanged : ImageSizing
    {
        public override string ToString() => "as-is";

        private protected override PixelSize Choose(PixelSize image, SizeRule rule) => image;
    }

    private sealed record Given(PixelSize Size) : ImageSizing
    {
        public override string ToString() => $"{Size.Width}x{Size.Height}";

        private protected override PixelSize Choose(PixelSize image, SizeRule rule) => Size;
    }
}
