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
/// Reads PNG, JPEG and WebP files with ImageSharp, using the limits, errors and orientation of <see cref="ImageFile"/>. Pixels of JPEG and lossy WebP
/// may differ from those of <see cref="ImageFile"/> by a few levels, because the decoders round differently.
/// </summary>
/// <remarks>
/// The header is read first (<see cref="Image.Identify(Configuration, Stream)"/>): a size over the limit, or one that the file cannot contain, is
/// refused before anything is decoded. No other decoder of ImageSharp is used, and no single allocation may exceed what the limit requires.
/// Memory while decoding: 4 bytes per pixel plus the decoder's own (for JPEG up to 6 bytes per pixel).
/// </remarks>
public static class ImageSharpFile
{
    /// <summary>Reads an image file.</summary>
    /// <param name="path">A PNG, JPEG or WebP file; the content decides, not the name.</param>
    /// <param name="options">Limits and orientation; defaults if null. Transparency stays as stored.</param>
    /// <returns>The upright image; of an animation, the first frame. Owned by the caller, who disposes it.</returns>
    /// <exception cref="ImageFileException">The file is missing, unreadable, damaged, truncated, too large or in another format.</exception>
    public static Image<Rgba32> Load(string path, ImageLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Decode(EncodedImage.ReadFile(path), path, options);
    }

    /// <summary>Reads an image from the bytes of a file.</summary>
    /// <param name="encoded">A whole PNG, JPEG or WebP file.</param>
    /// <param name="name">Name used in errors.</param>
    /// <param name="options">Limits and orientation; defaults if null. Transparency stays as stored.</param>
    /// <returns>The upright image; of an animation, the first frame. Owned by the caller, who disposes it.</returns>
    /// <exception cref="ImageFileException">The bytes are damaged or truncated, the image is too large, or the format is another one.</exception>
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
            // The decoders silently fill in missing data.
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

    // Exceptions that the decoders throw for malformed files; the known bugs of 2.1 throw the last four.
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
            // The largest single allocation: 16 bits for each of four channels.
            MemoryAllocator = MemoryAllocator.Create(
                new MemoryAllocatorOptions { AllocationLimitMegabytes = (int)Math.Clamp((maxPixels * 8) >> 20, 16, 8192) }
            ),
        };

    private static void TurnUpright(Image<Rgba32> image, int? orientation)
    {
        if (orientation is { } ofPng)
        {
            // ImageSharp does not find the EXIF profile of a PNG file in all the places that the standard allows.
            image.Metadata.ExifProfile ??= new ExifProfile();
            image.Metadata.ExifProfile.SetValue(ExifTag.Orientation, (ushort)ofPng);
        }

        image.Mutate(i => i.AutoOrient());
    }
}
