using NullTextResearch.Images;

namespace NullTextResearch.Metrics;

/// <summary>Selects the pixels of a picture that count: the edited region, or everything except it.</summary>
public sealed class RegionMask
{
    private readonly bool[] _inside;

    /// <summary>Creates a mask from one flag per pixel.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="inside">Width x height flags, row by row from the top; copied.</param>
    /// <exception cref="ArgumentException">The number of flags is wrong.</exception>
    public RegionMask(int width, int height, IReadOnlyList<bool> inside)
    {
        ArgumentNullException.ThrowIfNull(inside);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (inside.Count != (long)width * height)
            throw new ArgumentException($"a mask of {width} x {height} pixels has {(long)width * height} flags, got {inside.Count}", nameof(inside));
        (Width, Height, _inside) = (width, height, [.. inside]);
        Count = _inside.Count(flag => flag);
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Number of rows.</summary>
    public int Height { get; }

    /// <summary>Number of pixels inside.</summary>
    public int Count { get; }

    /// <summary>Whether a pixel, counted row by row, is inside.</summary>
    public bool this[int pixel] => _inside[pixel];

    /// <summary>A mask that contains every pixel.</summary>
    /// <param name="width">Pixels in a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    public static RegionMask Everything(int width, int height) => new(width, height, [.. Enumerable.Repeat(true, width * height)]);

    /// <summary>A mask that is drawn as a picture: light pixels, whose three levels sum to more than 382, are inside.</summary>
    /// <param name="drawn">The drawing, white where the mask is.</param>
    public static RegionMask FromPicture(RgbImage drawn)
    {
        ArgumentNullException.ThrowIfNull(drawn);
        return new RegionMask(
            drawn.Width,
            drawn.Height,
            [.. Enumerable.Range(0, drawn.Width * drawn.Height).Select(i => drawn.Rgb[3 * i] + drawn.Rgb[(3 * i) + 1] + drawn.Rgb[(3 * i) + 2] > 382)]
        );
    }

    /// <summary>Reads an edited region in PIE-Bench's format: starts and lengths of runs over the flattened picture.</summary>
    /// <param name="runs">Start, length, start, length, ...; a run that extends beyond the picture is truncated.</param>
    /// <param name="width">Pixels in a row; 512 in the benchmark.</param>
    /// <param name="height">Rows; 512 in the benchmark.</param>
    /// <param name="frame">Whether the outermost pixels count as inside, as in the benchmark, to guard against annotation errors there.</param>
    /// <exception cref="ArgumentException">A start has no length, or a number is negative.</exception>
    public static RegionMask FromRuns(IReadOnlyList<int> runs, int width = 512, int height = 512, bool frame = true)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Count % 2 != 0)
            throw new ArgumentException($"runs are pairs of start and length, got {runs.Count} numbers", nameof(runs));
        bool[] inside = new bool[width * height];
        for (int i = 0; i < runs.Count; i += 2)
        {
            if (runs[i] < 0 || runs[i + 1] < 0)
                throw new ArgumentException($"run {i / 2} starts at {runs[i]} and has the length {runs[i + 1]}; both must be 0 or more", nameof(runs));
            if (runs[i] < inside.Length)
                Array.Fill(inside, true, runs[i], Math.Min(runs[i + 1], inside.Length - runs[i]));
        }
        for (int i = 0; frame && i < inside.Length; i++)
        {
            int x = i % width,
                y = i / width;
            inside[i] |= x == 0 || y == 0 || x == width - 1 || y == height - 1;
        }
        return new RegionMask(width, height, inside);
    }

    /// <summary>The mask of the pixels outside this one.</summary>
    public RegionMask Inverse() => new(Width, Height, [.. _inside.Select(flag => !flag)]);

    /// <summary>
    /// Returns the picture with everything outside set to black. PIE-Bench measures the CLIP similarity of an edited region with the whole prompt on this
    /// picture.
    /// </summary>
    /// <param name="image">A picture of the mask's size.</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public RgbImage Apply(RgbImage image)
    {
        Require(image);
        return new RgbImage(Width, Height, [.. image.Rgb.Select((value, i) => _inside[i / 3] ? value : (byte)0)]);
    }

    internal void Require(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width != Width || image.Height != Height)
            throw new ArgumentException($"mask and image need the same size, got {Width} x {Height} and {image}; resize one of them");
    }
}
