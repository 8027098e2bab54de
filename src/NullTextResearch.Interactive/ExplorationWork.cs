using NullTextResearch.Diffusion;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <summary>What the work at one position of the sliders has at hand.</summary>
public sealed class ExplorationWork
{
    private readonly LiveProgress _progress;
    private readonly StableDiffusion _model;

    internal ExplorationWork(LiveProgress progress, StableDiffusion model, CancellationToken cancellation) =>
        (_progress, _model, Cancellation) = (progress, model, cancellation);

    /// <summary>Cancelled when the sliders have moved on, or the user stops the work. Pass it on: the library looks at every step.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Takes the progress of the library's methods.</summary>
    public IProgress<InversionProgress> Progress => _progress;

    internal LiveProgress Live => _progress;

    /// <summary>A predictor that now and then shows what the picture looks like.</summary>
    /// <param name="predictor">Such as <c>model.Predictor()</c>.</param>
    public INoisePredictor Watch(INoisePredictor predictor) => _progress.Watch(predictor, _model);
}
