using System.Diagnostics;
using System.Text.Json;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>
/// One model and a set of images on which experiments are run. Results are computed for several images per forward pass, stored in one file per image and
/// method, and not computed again.
/// </summary>
public sealed class ExperimentLab : IDisposable
{
    /// <summary>Incremented by hand whenever the numbers of an algorithm change; older results are then computed again.</summary>
    public const int AlgorithmVersion = 2;

    /// <summary>
    /// Version in the key of every stored result: <see cref="AlgorithmVersion"/> and the revisions of all methods, paths and editors, since an experiment may
    /// use any of them.
    /// </summary>
    public static int ResultVersion { get; } =
        AlgorithmVersion + InversionCatalogue.All.Sum(m => m.Revision) + PathCatalogue.All.Sum(p => p.Revision) + EditorCatalogue.All.Sum(e => e.Revision);

    private readonly Dictionary<string, (Batch Batch, InversionResult Result)> _inversions = [];
    private readonly Lock _gate = new();
    private readonly IReadOnlyList<ExperimentImage>? _allImages;
    private WorkerPool? _pool;
    private SceneClassifier? _classifier;
    private bool _classifierSought;

    /// <summary>Prepares experiments; nothing is computed yet.</summary>
    /// <param name="model">Model; borrowed.</param>
    /// <param name="images">At least one image, of a size that the model accepts.</param>
    /// <param name="settings">Size of the experiments.</param>
    /// <param name="cache">Where results are kept.</param>
    /// <param name="fingerprint">Hash of the model's weights; null asks <see cref="IDiffusionModel.Fingerprint"/>.</param>
    /// <exception cref="ArgumentException">There is no image, or the settings are invalid.</exception>
    /// <exception cref="InvalidOperationException">The model does not know its fingerprint, and none was given.</exception>
    public ExperimentLab(
        IDiffusionModel model,
        IReadOnlyList<ExperimentImage> images,
        ExperimentSettings settings,
        ResultCache cache,
        string? fingerprint = null
    )
    {
        if (images.Count == 0)
            throw new ArgumentException("The experiments need at least one image.", nameof(images));
        settings.Validate();
        Model = model;
        Images = images;
        Settings = settings;
        Cache = cache;
        Fingerprint = fingerprint ?? model.Fingerprint();
        Grid = model.Grid(settings.Steps);
    }

    /// <summary>The model.</summary>
    public IDiffusionModel Model { get; }

    /// <summary>The images.</summary>
    public IReadOnlyList<ExperimentImage> Images { get; }

    /// <summary>
    /// All images of the run of which <see cref="Images"/> are a part; the same images by default. What a result takes from other images (another caption) it
    /// takes from these, so that the parts of a run have the results of the whole.
    /// </summary>
    public IReadOnlyList<ExperimentImage> AllImages
    {
        get => _allImages ?? Images;
        init => _allImages = value;
    }

    /// <summary>Whether a result that is not in <see cref="Cache"/> is an error, and nothing is computed.</summary>
    public bool FoundOnly { get; init; }

    /// <summary>Size of the experiments.</summary>
    public ExperimentSettings Settings { get; }

    /// <summary>Where results are kept.</summary>
    public ResultCache Cache { get; }

    /// <summary>Hash of the model's weights.</summary>
    public string Fingerprint { get; }

    /// <summary>Steps.</summary>
    public TimestepGrid Grid { get; }

    /// <summary>Threads that share the images, each with its own libtorch thread; 1 (default) works on the caller's thread. Use 1 on a GPU.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Receives the work done so far after every network call, on the thread that made the call and never on two at once; null to disable.</summary>
    public IProgress<ExperimentProgress>? Progress { get; set; }

    /// <summary>Stops the work; finished results are kept.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Network evaluations (one latent with one embedding) made by this object.</summary>
    public long Evaluations { get; private set; }

    /// <summary>Work done by this object, in evaluations; one that is followed by a backward pass counts three times.</summary>
    public double Work { get; private set; }

    /// <summary>The classifier of toy scenes next to the model, or null if there is none; owned by the lab.</summary>
    public SceneClassifier? Classifier
    {
        get
        {
            lock (_gate)
            {
                if (!_classifierSought)
                    _classifier = LoadClassifier();
                _classifierSought = true;
                return _classifier;
            }
        }
    }

    /// <summary>The key of one image's result.</summary>
    /// <param name="experiment">Name of the computation: letters, digits, hyphens.</param>
    /// <param name="image">Index of the image.</param>
    /// <param name="options">Everything else that the result depends on; written as JSON.</param>
    public ResultKey KeyOf(string experiment, int image, object options) =>
        new(
            experiment,
            Images[image].Hash,
            Images[image].Caption,
            Fingerprint,
            JsonSerializer.Serialize<object>(
                Settings.OptimisedRows is { } rows
                    ? new
                    {
                        Settings.Steps,
                        rows,
                        options,
                    }
                    : new { Settings.Steps, options },
                ResultCache.Json
            ),
            ResultVersion
        );

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((Batch batch, InversionResult result) in _inversions.Values)
        {
            result.Dispose();
            batch.Dispose();
        }
        _inversions.Clear();
        _classifier?.Dispose();
        _pool?.Dispose();
    }

    /// <summary>One result per image: read from the cache if it exists, otherwise computed in batches and stored.</summary>
    internal IReadOnlyList<T> PerImage<T>(string experiment, Func<int, object> options, Func<Batch, IReadOnlyList<T>> compute)
    {
        T[] results = new T[Images.Count];
        List<int> missing = [];
        for (int i = 0; i < results.Length; i++)
        {
            if (Cache.TryRead(KeyOf(experiment, i, options(i)), out T found))
                results[i] = found;
            else
                missing.Add(i);
        }
        if (missing.Count == 0)
            return results;
        if (FoundOnly)
            throw new MissingResultsException(experiment, [.. missing.Select(i => Images[i].Name)]);
        int together = Math.Min(Settings.BatchSize, (missing.Count + Workers - 1) / Workers);
        // All images of a batch have the same size.
        int[][] chunks = [.. missing.GroupBy(i => PixelSize.Of(Images[i].Image)).SelectMany(group => group.Chunk(together))];
        void Compute(int[] chunk)
        {
            Cancellation.ThrowIfCancellationRequested();
            Stopwatch clock = Stopwatch.StartNew();
            using Batch batch = new(this, chunk);
            IReadOnlyList<T> made = compute(batch);
            double seconds = clock.Elapsed.TotalSeconds / chunk.Length;
            for (int i = 0; i < chunk.Length; i++)
            {
                lock (_gate)
                    Cache.Write(KeyOf(experiment, chunk[i], options(chunk[i])), made[i], seconds);
                results[chunk[i]] = made[i];
            }
        }

        if (Workers == 1)
        {
            foreach (int[] chunk in chunks)
                Compute(chunk);
        }
        else
        {
            _pool ??= new WorkerPool(Workers);
            _pool.Run(chunks.Length, (_, job) => Compute(chunks[job]));
        }
        return results;
    }

    /// <summary>An inversion of a batch that several experiments use; kept in memory until the lab is disposed.</summary>
    internal InversionResult Inversion(Batch batch, IInversion method, double guidanceScale)
    {
        string options = JsonSerializer.Serialize(method.Options, ResultCache.Json);
        string key = FormattableString.Invariant($"{method.Name}|{options}|{guidanceScale:R}|{string.Join(',', batch.Indices)}");
        lock (_gate)
        {
            if (_inversions.TryGetValue(key, out (Batch Batch, InversionResult Result) known))
                return known.Result;
        }
        Batch own = new(this, batch.Indices);
        try
        {
            InversionResult result = method.Invert(own.Problem(guidanceScale), null, Cancellation);
            lock (_gate)
                _inversions.Add(key, (own, result));
            return result;
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>A predictor that counts its work.</summary>
    internal INoisePredictor Predictor(INetworkHook? attention = null) => new Metered(this, Model.Predictor(attention));

    internal void Count(long rows, bool backward)
    {
        lock (_gate)
        {
            Evaluations += rows;
            Work += backward ? 3 * rows : rows;
            Progress?.Report(new ExperimentProgress(Evaluations, Work));
        }
    }

    private SceneClassifier? LoadClassifier() =>
        Model.Folder is { } folder && File.Exists(Path.Combine(folder, "classifier", "model.safetensors")) ? SceneClassifier.Load(folder, Model.Device) : null;

    /// <summary>Some of the images as tensors.</summary>
    internal sealed class Batch : IDisposable
    {
        private readonly ExperimentLab _lab;

        public Batch(ExperimentLab lab, IReadOnlyList<int> indices)
        {
            _lab = lab;
            Indices = indices;
            using DisposeScope scope = NewDisposeScope();
            Latents = lab.Model.Encode([.. Images.Select(i => i.Image)]).DetachFromDisposeScope();
            Conditional = lab.Model.Embed([.. Images.Select(i => i.Caption)]).Snapshot();
            Unconditional = lab.Model.Embed("").Snapshot();
        }

        public IReadOnlyList<int> Indices { get; }

        public IEnumerable<ExperimentImage> Images => Indices.Select(i => _lab.Images[i]);

        public Tensor Latents { get; }

        public Conditioning Conditional { get; }

        public Conditioning Unconditional { get; }

        public InversionProblem Problem(double guidanceScale) =>
            new()
            {
                Predictor = _lab.Predictor(),
                Grid = _lab.Grid,
                Latents = Latents,
                Conditional = Conditional,
                Unconditional = Unconditional,
                GuidanceScale = guidanceScale,
                ImageKeys = [.. Images.Select(i => i.Key)],
            };

        public void Dispose()
        {
            Latents.Dispose();
            Conditional.Free();
            Unconditional.Free();
        }
    }

    private sealed class Metered(ExperimentLab lab, INoisePredictor inner) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
        {
            Tensor prediction = inner.Predict(latents, step, condition);
            lab.Count(latents.shape[0], condition.RequiresGradient && is_grad_enabled());
            return prediction;
        }

        public PredictionGradient Differentiate(
            Tensor latents,
            DiffusionStep step,
            Conditioning condition,
            Func<Tensor, Tensor> loss,
            GradientOf of = GradientOf.Tokens
        )
        {
            PredictionGradient result = inner.Differentiate(latents, step, condition, loss, of);
            lab.Count(latents.shape[0], backward: true);
            return result;
        }
    }
}
