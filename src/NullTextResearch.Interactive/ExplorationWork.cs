using NullTextResearch.Diffusion;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <summary>Context for the work at one position of the sliders.</summary>
public sealed class ExplorationWork
{
    private readonly LiveProgress _progress;
    private readonly IDiffusionModel _model;

    internal ExplorationWork(LiveProgress progress, IDiffusionModel model, CancellationToken cancellation) =>
        (_progress, _model, Cancellation) = (progress, model, cancellation);

    /// <summary>Cancelled when the sliders have moved on or the user stops the work. Pass it on: the library checks it at every step.</summary>
    public CancellationToken Cancellation { get; }

    /// <summary>Receives the progress of the library's methods.</summary>
    public IProgress<InversionProgress> Progress => _progress;

    internal LiveProgress Live => _progress;

    /// <summary>Wraps a predictor so that previews of the picture are shown from time to time.</summary>
    /// <param name="predictor">The predictor, such as <c>model.Predictor()</c>.</param>
    public INoisePredictor Watch(INoisePredictor predictor) => _progress.Watch(predictor, _model);
}
