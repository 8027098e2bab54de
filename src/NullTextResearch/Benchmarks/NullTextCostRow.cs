using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>A variant of null-text optimisation on all images.</summary>
/// <param name="Variant">The variant.</param>
/// <param name="Records">One per image, in their order.</param>
public sealed record NullTextCostRow(NullTextVariant Variant, IReadOnlyList<NullTextCostRecord> Records)
{
    /// <summary>Mean cost in forward passes.</summary>
    public double Cost => Records.Average(r => r.Cost);

    /// <summary>Mean PSNR to the picture, dB.</summary>
    public Estimate SourcePsnr => Bootstrap.Mean([.. Records.Select(r => r.SourcePsnr)]);

    /// <summary>Mean PSNR to the pivot, dB.</summary>
    public Estimate PivotPsnr => Bootstrap.Mean([.. Records.Select(r => r.PivotPsnr)]);

    /// <summary>Mean PSNR of the edits to the truth, dB.</summary>
    public Estimate EditPsnr => Bootstrap.Mean([.. Records.Select(r => r.EditPsnr)]);

    /// <summary>Share of edits that succeeded; NaN without a judge.</summary>
    public Estimate Success => Bootstrap.Mean([.. Records.Select(r => r.Success is { } yes ? (yes ? 1 : 0) : double.NaN)]);

    /// <summary>Cost as a share of another variant's on the same images.</summary>
    /// <param name="other">The variant to compare with.</param>
    public double ShareOf(NullTextCostRow other) => Cost / Required(other).Cost;

    /// <summary>The same variant on the first images only.</summary>
    /// <param name="count">How many, at least 1 and at most all.</param>
    public NullTextCostRow First(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Records.Count);
        return this with { Records = [.. Records.Take(count)] };
    }

    /// <summary>PSNR to the picture minus that of another variant, image by image.</summary>
    /// <param name="other">The variant to compare with.</param>
    public PairedDifference SourceAbove(NullTextCostRow other) => Above(other, r => r.SourcePsnr);

    /// <summary>PSNR to the pivot minus that of another variant, image by image.</summary>
    /// <param name="other">The variant to compare with.</param>
    public PairedDifference PivotAbove(NullTextCostRow other) => Above(other, r => r.PivotPsnr);

    /// <summary>PSNR of the edits to the truth minus that of another variant, image by image.</summary>
    /// <param name="other">The variant to compare with.</param>
    public PairedDifference EditAbove(NullTextCostRow other) => Above(other, r => r.EditPsnr);

    private PairedDifference Above(NullTextCostRow other, Func<NullTextCostRecord, double> of) =>
        PairedDifference.Of(Records.Zip(Required(other).Records, (a, b) => of(a) - of(b)));

    private NullTextCostRow Required(NullTextCostRow other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.Records.Count == Records.Count
            ? other
            : throw new ArgumentException($"The variants need the same images; got {Records.Count} and {other.Records.Count}.", nameof(other));
    }
}
