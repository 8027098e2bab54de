using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>Pictures, masks and truths of tasks at the size at which a model works.</summary>
internal static class StudyPictures
{
    private static readonly ImagePreparation Sharp = new() { Filter = ResizeFilter.Nearest };

    /// <summary>A picture, or a truth.</summary>
    public static RgbImage Prepare(RgbImage picture, ImageSizing sizing, SizeRule rule) => new ImagePreparation().Apply(picture, sizing, rule);

    /// <summary>A mask, cropped and resized as its picture is.</summary>
    public static RegionMask Prepare(RegionMask mask, ImageSizing sizing, SizeRule rule)
    {
        RgbImage drawn = new(
            mask.Width,
            mask.Height,
            [.. Enumerable.Range(0, 3 * mask.Width * mask.Height).Select(i => mask[i / 3] ? byte.MaxValue : (byte)0)]
        );
        RgbImage sized = Sharp.Apply(drawn, sizing, rule);
        return ReferenceEquals(sized, drawn) ? mask : RegionMask.FromPicture(sized);
    }

    /// <summary>Hash of what a task's scores depend on beside the pictures of source and edit, in hexadecimal.</summary>
    public static string HashOf(RegionMask? mask, RgbImage? truth)
    {
        using FingerprintWriter writer = new();
        writer.Add(mask is null ? 0L : 1L).Add(truth is null ? 0L : 1L);
        if (mask is not null)
            writer.Add(mask);
        if (truth is not null)
            writer.Add(truth);
        return writer.Done();
    }
}
