namespace NullTextResearch.Interactive;

/// <summary>How a workbench is opened.</summary>
public sealed record WorkbenchOptions
{
    /// <summary>Where the networks run: <c>cpu</c> (default), <c>cuda</c>, <c>cuda:1</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Threads of libtorch while the workbench works; null (default) takes what <c>NULLTEXT_THREADS</c> says, else as many as suit the model (<see
    /// cref="ProcessorThreads"/>).
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>Put plotly.js into the notebook, so that charts are interactive (default: true).</summary>
    public bool LoadPlotly { get; init; } = true;

    /// <summary>
    /// Draw charts also as static pictures, for places that run no scripts; takes a second or two per chart and an installed Chromium, Chrome or
    /// Edge. Holds for the whole notebook (default: true).
    /// </summary>
    public bool StaticCharts { get; init; } = true;

    /// <summary>
    /// Precision of the U-Net and the text encoder: <c>fp32</c> (default), <c>bf16</c> or <c>fp16</c>. Latents, embeddings, losses and the
    /// autoencoder stay float32.
    /// </summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>What may be slower to need less memory; nothing by default.</summary>
    public MemoryOptions Memory { get; init; } = new();

    /// <summary>
    /// What the model's files do not say by themselves: variant, prediction type, vocabulary, progress. Its device, precision and memory settings are
    /// not used. Null for the defaults.
    /// </summary>
    public ModelLoadOptions? Loading { get; init; }

    /// <summary>
    /// Folder where <see cref="Workbench.Experiment{T}"/> and comparisons of methods by name keep results, so that a second run reads them; null
    /// (default) takes one in the system's temporary folder.
    /// </summary>
    public string? CacheFolder { get; init; }
}
