using System.Diagnostics;
using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Counts the evaluations, backward passes and time of one inversion; the results of an any-time run read it while it is running.</summary>
internal sealed class InversionMeter(INoisePredictor inner, int images) : INoisePredictor
{
    private readonly CheckedPredictor _inner = new(inner);
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _earlier;

    public InversionMeter(INoisePredictor inner, int images, long forwards, long backwards, TimeSpan earlier)
        : this(inner, images)
    {
        Forwards = forwards;
        Backwards = backwards;
        _earlier = earlier;
    }

    public long Forwards { get; private set; }

    public long Backwards { get; private set; }

    public TimeSpan Elapsed => _earlier + _watch.Elapsed;

    public double ForwardsPerImage => (double)Forwards / images;

    public double BackwardsPerImage => (double)Backwards / images;

    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        Forwards += latents.shape[0];
        return _inner.Predict(latents, step, condition);
    }

    /// <summary>How often a gradient of a float16 network had to be recomputed with a smaller scale.</summary>
    public int BackOffs { get; private set; }

    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        Forwards += latents.shape[0];
        PredictionGradient result = _inner.Differentiate(latents, step, condition, loss, of);
        Backwards += latents.shape[0];
        BackOffs += result.BackOffs;
        return result;
    }

    /// <summary>Excludes time that was spent on something else.</summary>
    public void Exclude(TimeSpan time) => _earlier -= time;
}
