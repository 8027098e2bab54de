namespace NullTextResearch.Weights;

/// <summary>Progress of loading.</summary>
/// <param name="Part">What is being loaded: text_encoder, vae or unet.</param>
/// <param name="BytesRead">Bytes read so far, over all parts.</param>
/// <param name="BytesTotal">Total number of bytes to read.</param>
public sealed record LoadProgress(string Part, long BytesRead, long BytesTotal) : WorkProgress($"loading {Part}")
{
    /// <inheritdoc/>
    public override double Done => BytesRead;

    /// <inheritdoc/>
    public override double Total => BytesTotal;

    /// <inheritdoc/>
    public override string Where => $"{ByteCount.InWords(BytesRead)} of {ByteCount.InWords(BytesTotal)}";
}

/// <summary>Adds up what several parts read, and checks for cancellation.</summary>
internal sealed class LoadMeter(long bytesTotal, IProgress<LoadProgress>? progress, CancellationToken cancellation)
{
    private long _read;

    public string Part { get; set; } = "";

    public void Add(long bytes)
    {
        cancellation.ThrowIfCancellationRequested();
        _read += bytes;
        progress?.Report(new LoadProgress(Part, _read, bytesTotal));
    }
}
