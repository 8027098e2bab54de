using NullTextResearch.Images;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata.Profiles.Exif;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

namespace NullTextResearch.ImageSharp;

/// <summary>
/// Reads PNG, JPEG and WebP files by ImageSharp, with the limits, errors and orientation of <see cref="ImageFile"/>. The pixels of JPEG and lossy WebP
/// may differ from that one's by a few levels: the decoders round in their own ways.
/// </summary>
/// <remarks>
/// The header is looked at first (<see cref="Image.Identify(Configuration, Stream)"/>): a size over the limit, or one that the file cannot hold, is
/// refused before anything is decoded; no other decoder of ImageSharp is ever asked; and no single allocation may be larger than the limit needs.
/// Memory while decoding: 4 bytes a pixel, and what the decoder takes (for JPEG up to 6 bytes a pixel).
/// </remarks>
public static class ImageSharpFile
{
    /// <summary>Reads an image file.</summary>
    /// <param name="path">A PNG, JPEG or WebP file; the content decides, not the name.</param>
    /// <param name="options">Limits and orientation; defaults if null. Transparency stays as stored.</param>
    /// <returns>The upright picture, of an animation the first frame; owned by the caller, who disposes it.</returns>
    /// <exception cref="ImageFileException">The file is missing, unreadable, damaged, truncated, too large or of another format.</exception>
    public static Image<Rgba32> Load(string path, ImageLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Decode(EncodedImage.ReadFile(path), path, options);
    }

    /// <summary>Reads a picture from the bytes of a file.</summary>
    /// <param name="encoded">A whole PNG, JPEG or WebP file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="options">Limits and orientation; defaults if null. Transparency stays as stored.</param>
    /// <returns>The upright picture, of an animation the first frame; owned by the caller, who disposes it.</returns>
    /// <exception cref="ImageFileException">The bytes are damaged, truncated, of too large an image or of another format.</exception>
    public static Image<Rgba32> Decode(byte[] encoded, string name = "(memory)", ImageLoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        options ??= new ImageLoadOptions();
        EncodedImage file = EncodedImage.Of(encoded, name);
        Configuration configuration = Formats(options.MaxPixels);
        try
        {
            IImageInfo header = Image.Identify(configuration, new MemoryStream(encoded, writable: false)) ?? throw Damaged(name);
            file.RequireSize(header.Width, header.Height, name, options);
            // The decoders fill up what is missing, without a word.
            if (!file.IsWhole(encoded))
                throw new ImageFileException(name, "the file ends too early (truncated); download or export it again");
            Image<Rgba32> image = Image.Load<Rgba32>(configuration, encoded);
            while (image.Frames.Count > 1)
                image.Frames.RemoveFrame(1);
            if (options.HonourOrientation)
                TurnUpright(image, file.Png?.Orientation);
            return image;
        }
        catch (Exception e) when (IsOfTheFile(e))
        {
            throw Damaged(name, e);
        }
    }

    private static ImageFileException Damaged(string name, Exception? inner = null) =>
        new(name, $"the data is damaged{(inner is null ? "" : $" ({inner.GetType().Name})")}; download or export it again", inner);

    // What the decoders throw at files that are not as they should be; the flaws known in 2.1 end in the last four.
    private static bool IsOfTheFile(Exception e) =>
        e
            is ImageFormatException
                or InvalidImageContentException
                or UnknownImageFormatException
                or InvalidMemoryOperationException
                or ImageProcessingException
                or ArgumentException
                or IndexOutOfRangeException
                or NotSupportedException
                or OverflowException
                or DivideByZeroException
                or NullReferenceException
                or InvalidOperationException
                or EndOfStreamException;

    private static Configuration Formats(long maxPixels) =>
        new(new PngConfigurationModule(), new JpegConfigurationModule(), new WebpConfigurationModule())
        {
            // The largest that is asked for at once: 16 bits for each of four channels.
            MemoryAllocator = MemoryAllocator.Create(
                new MemoryAllocatorOptions { AllocationLimitMegabytes = (int)Math.Clamp((maxPixels * 8) >> 20, 16, 8192) }
            ),
        };

    private static void TurnUpright(Image<Rgba32> image, int? orientation)
    {
        if (orientation is { } ofPng)
        {
            // The profile that ImageSharp makes of a PNG file misses some places where the standard lets it stand.
            image.Metadata.ExifProfile ??= new ExifProfile();
            image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)ofPng);
        }

        image.Mutate(i => i.AutoOrient());
    }
}
