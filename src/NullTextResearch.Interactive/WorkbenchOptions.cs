namespace NullTextResearch.Interactive;

/// <summary>How a workbench is opened.</summary>
public sealed record WorkbenchOptions
{
    /// <summary>Where the networks run: <c>cpu</c> (default), <c>cuda</c>, <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Number of libtorch threads while the workbench works; null (default) uses <c>NULLTEXT_THREADS</c> if set, otherwise a number that suits the
    /// model (<see cref="ProcessorThreads"/>).
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>Put plotly.js into the notebook so that charts are interactive (default: true).</summary>
    public bool LoadPlotly { get; init; } = true;

    /// <summary>
    /// Also draw charts as static pictures for viewers that run no scripts; takes one or two seconds per chart and needs Chromium, Chrome or Edge.
    /// Applies to the whole notebook (default: true).
    /// </summary>
    public bool StaticCharts { get; init; } = true;

    /// <summary>
    /// Precision of the U-Net and the text encoder: <c>fp32</c> (default), <c>bf16</c> or <c>fp16</c>. Latents, embeddings, losses and the
    /// autoencoder stay float32.
    /// </summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Options that save memory at the cost of speed; none by default.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>
    /// Loading options that the model's files do not determine: variant, prediction type, vocabulary, progress. Its device, precision and memory
    /// settings are ignored. Null for the defaults.
    /// </summary>
    public ModelLoadOptions? Loading { get; init; }

    /// <summary>
    /// Folder where <see cref="Workbench.Experiment{T}"/> and comparisons of methods by name store results, so a second run reads them; null
    /// (default) uses one in the system's temporary folder.
    /// </summary>
    public string? CacheFolder { get; init; }
}
