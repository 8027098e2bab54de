using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>The latents of an inverted image at every noise level, z*_0 (clean) to z*_T (noisiest).</summary>
public sealed class PivotTrajectory : IDisposable
{
    private readonly UseGate _gate = new(nameof(PivotTrajectory));
    private readonly Tensor[] _levels;

    /// <summary>Takes copies of the latents, clean first.</summary>
    public PivotTrajectory(IEnumerable<Tensor> levels) => _levels = [.. levels.Select(z => z.Snapshot())];

    /// <summary>T, the number of moves.</summary>
    public int Steps => _levels.Length - 1;

    /// <summary>Latents at noise level 0..T, [B, 4, H, W]; borrowed.</summary>
    public Tensor this[int level] => _gate.Alive(_levels)[level];

    /// <summary>z*_T; borrowed.</summary>
    public Tensor Noisiest => this[Steps];

    /// <summary>z*_0; borrowed.</summary>
    public Tensor Clean => this[0];

    /// <summary>The latents that a sampler should hold after a step.</summary>
    public Tensor TargetOf(DiffusionStep step) => this[Steps - step.Step - 1];

    /// <summary>The trajectory of one image, owned by the caller.</summary>
    public PivotTrajectory Image(int index)
    {
        using UseGate.Lease use = _gate.Use();
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return new PivotTrajectory(_levels.Select(z => z.narrow(0, index, 1)));
    }

    /// <summary>A copy, owned by the caller.</summary>
    public PivotTrajectory Copy()
    {
        using UseGate.Lease use = _gate.Use();
        return new PivotTrajectory(_levels);
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _gate.Close(() =>
        {
            foreach (Tensor level in _levels)
                level.Dispose();
        });
}

/// <summary>What every inversion starts from. All tensors are borrowed.</summary>
public sealed record InversionProblem
{
    /// <summary>Noise predictor.</summary>
    public required INoisePredictor Predictor { get; init; }

    /// <summary>Steps.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>z_0 of the images, [B, 4, H, W].</summary>
    public required Tensor Latents { get; init; }

    /// <summary>Prompt embeddings, [B, tokens, d].</summary>
    public required Tensor Conditional { get; init; }

    /// <summary>Embedding of the empty prompt, [1, tokens, d].</summary>
    public required Tensor Unconditional { get; init; }

    /// <summary>w of the sampling that the inversion prepares (not of the inversion itself).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>
    /// One number per image for methods that draw noise: an image keeps its noise in any batch if it keeps its key.
    /// Null means 0..B-1.
    /// </summary>
    public IReadOnlyList<long>? ImageKeys { get; init; }

    /// <summary>Number of images, B.</summary>
    public int Images => (int)Latents.shape[0];

    /// <summary>Checks shapes, precision and device of the tensors against each other.</summary>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    /// <exception cref="ArgumentException">Tensors differ in precision or device, or the precision is below float32.</exception>
    public void Validate()
    {
        Shape.Require(Latents, [-1, -1, -1, -1]);
        long batch = Latents.shape[0];
        Shape.Require(Conditional, [batch, -1, -1]);
        Shape.Require(Unconditional, [1, Conditional.shape[1], Conditional.shape[2]]);
        if (batch == 0)
            throw new ArgumentException("There is no image: Latents has no rows.");
        if (Latents.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException(
                $"Latents are {Latents.dtype}; inversion needs Float32 or Float64. Only the network may run in less: convert inside the predictor."
            );
        foreach ((string name, Tensor tensor) in new[] { (nameof(Conditional), Conditional), (nameof(Unconditional), Unconditional) })
        {
            if (tensor.dtype != Latents.dtype)
                throw new ArgumentException($"{name} is {tensor.dtype} but Latents are {Latents.dtype}; convert one of them.");
            if (tensor.device.type != Latents.device.type)
                throw new ArgumentException($"{name} is on {tensor.device} but Latents are on {Latents.device}; move one of them.");
        }
        if (ImageKeys is { } keys && keys.Count != batch)
            throw new ArgumentException($"ImageKeys has {keys.Count} numbers for {batch} images; give one each, or null.");
        if (!double.IsFinite(GuidanceScale))
            throw new ArgumentException(FormattableString.Invariant($"The guidance scale is {GuidanceScale}; it must be finite."));
    }

    internal long KeyOf(int image) => ImageKeys is { } keys ? keys[image] : image;

    internal Tensor UnconditionalRows() => Unconditional.expand(Conditional.shape);
}

/// <summary>Why the optimisation of a step ended.</summary>
public enum StopReason
{
    /// <summary>The inner-step limit was reached.</summary>
    InnerStepLimit,

    /// <summary>The loss fell below the threshold of the step.</summary>
    EarlyStop,

    /// <summary>The method does not optimise.</summary>
    NotOptimised,
}

/// <summary>What the optimisation of one image did at one step.</summary>
/// <param name="Losses">Loss at each inner step, before its update.</param>
/// <param name="Stop">Why it ended.</param>
public sealed record StepOptimisation(IReadOnlyList<double> Losses, StopReason Stop);

/// <summary>Progress of long work.</summary>
/// <param name="Stage">What is being done, in a few words.</param>
/// <param name="Step">Steps done.</param>
/// <param name="Of">Steps in all.</param>
/// <param name="InnerStep">Inner steps done in the current step.</param>
/// <param name="Loss">Mean loss over the images, where there is one.</param>
public sealed record InversionProgress(string Stage, int Step, int Of, int InnerStep = 0, double? Loss = null);

/// <summary>
/// What an inversion yields: everything a sampler needs to land on the images again, and an editor to edit them.
/// Owns its tensors.
/// </summary>
/// <remarks>
/// Several threads may read one, edit from it and sample from it at a time. <see cref="Dispose"/> waits for edits that run; whoever
/// computes with one of the tensors by itself must have ended before. After it, every property that holds tensors throws <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class InversionResult : IDisposable
{
    private readonly UseGate _gate = new(nameof(InversionResult));

    /// <summary>Name of the method, as in tables and charts.</summary>
    public required string Method { get; init; }

    /// <summary>w to sample with.</summary>
    public required double GuidanceScale { get; init; }

    /// <summary>z_T to sample from, [B, 4, H, W].</summary>
    public required Tensor StartLatents
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Prompt embeddings.</summary>
    public required StepEmbeddings Conditional
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>Unconditional embeddings.</summary>
    public required StepEmbeddings Unconditional
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>How a sampler moves from <see cref="StartLatents"/> to the image; plain DDIM sampling if not given.</summary>
    public IReplay Replay
    {
        get => _gate.Alive(field);
        init;
    } = DdimReplay.Instance;

    /// <summary>
    /// Whether the prompt's own embedding was optimised, so that it is not what the text encoder gives: an editor then carries it over to its targets.
    /// </summary>
    public bool IsPromptOptimised { get; init; }

    /// <summary>
    /// The latents that sampling this result at its guidance scale ends at, [B, 4, H, W], up to rounding; null where the
    /// method has not come by them anyway.
    /// </summary>
    public Tensor? Reconstruction
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>The pivot, where the method has one.</summary>
    public PivotTrajectory? Pivot
    {
        get => _gate.Alive(field);
        init;
    }

    /// <summary>
    /// Per image, per step: what the optimisation did; empty where the method does not optimise. Methods that visit the
    /// timesteps in random order report one entry per image, with all iterations in the order they ran.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<StepOptimisation>> Optimisation { get; init; } = [];

    /// <summary>Network evaluations per image (one latent with one embedding), forward passes.</summary>
    public required double EvaluationsPerImage { get; init; }

    /// <summary>How many of those evaluations were followed by a backward pass.</summary>
    public double BackwardsPerImage { get; init; }

    /// <summary>How often a gradient overflowed a float16 network and was taken again with a smaller scale; 0 in other precisions.</summary>
    public int GradientBackOffs { get; init; }

    /// <summary>Time spent.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The options used, for the manifest.</summary>
    public required object Options { get; init; }

    /// <summary>The sampling plan that reconstructs the images; borrows this result's tensors.</summary>
    public SamplingPlan Plan =>
        new()
        {
            StartLatents = StartLatents,
            Conditional = Conditional,
            Unconditional = Unconditional,
            GuidanceScale = GuidanceScale,
            SourceGuidance = Replay.SourceGuidance,
            Replay = Replay,
        };

    /// <summary>Keeps the tensors, on this thread, until the lease is disposed.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal UseGate.Lease Use() => _gate.Use();

    /// <summary>Frees the tensors. A second time nothing happens.</summary>
    public void Dispose() =>
        _gate.Close(() =>
        {
            foreach (IDisposable? item in (IDisposable?[])[StartLatents, Conditional, Unconditional, Replay, Reconstruction, Pivot])
                item?.Dispose();
        });
}

/// <summary>A way to invert images.</summary>
public interface IInversion
{
    /// <summary>Name, as in tables and charts.</summary>
    string Name { get; }

    /// <summary>
    /// Everything that its results depend on beside the problem, written as JSON into manifests and keys of stored results: two settings of one method
    /// must differ here. A method without options leaves it as it is.
    /// </summary>
    object Options => new { };

    /// <summary>Inverts a batch of images.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="progress">Told after each step; may be null.</param>
    /// <param name="cancellation">Checked at every inner step; cancelling leaves no tensors behind.</param>
    /// <returns>The result, owned by the caller.</returns>
    /// <exception cref="InversionDivergedException">A loss became NaN or infinite.</exception>
    InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default);
}

/// <summary>An inversion whose intermediate states are results too: one run gives the whole curve over iterations.</summary>
public interface IAnyTimeInversion : IInversion
{
    /// <summary>Inverts a batch of images and reports the state after each of several iteration counts.</summary>
    /// <param name="problem">Images, prompts, predictor.</param>
    /// <param name="iterations">Counts of gradient steps, rising; 0 is the state before the first.</param>
    /// <param name="progress">Told as the work proceeds; may be null.</param>
    /// <param name="cancellation">Checked at every iteration; cancelling leaves no tensors behind.</param>
    /// <returns>One result per count, each what a run of that length would have given; owned by the caller.</returns>
    /// <exception cref="InversionDivergedException">A loss became NaN or infinite.</exception>
    IReadOnlyList<InversionResult> InvertAnyTime(
        InversionProblem problem,
        IReadOnlyList<int> iterations,
        IProgress<InversionProgress>? progress = null,
        CancellationToken cancellation = default
    );
}
