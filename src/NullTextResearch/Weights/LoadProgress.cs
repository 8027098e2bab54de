namespace NullTextResearch.Weights;

/// <summary>How far loading is.</summary>
/// <param name="Part">What is being loaded: text_encoder, vae or unet.</param>
/// <param name="BytesRead">Bytes read so far, all parts together.</param>
/// <param name="BytesTotal">Bytes that will be read.</param>
public readonly record struct LoadProgress(string Part, long BytesRead, long BytesTotal);

/// <summary>Adds up what several parts read, and watches for the wish to stop.</summary>
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
