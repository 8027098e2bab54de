using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive.Display;

/// <summary>
/// A display that follows long work: a few updates a second however many reports arrive, and always the last one. Created in
/// the cell; receives reports from the worker thread.
/// </summary>
internal sealed class LiveProgress : IProgress<WorkProgress>
{
    private static readonly TimeSpan BetweenUpdates = TimeSpan.FromMilliseconds(250);
    private readonly Lock _gate = new();
    private readonly Action<object> _update;
    private readonly TimeProvider _clock;
    private readonly bool _rich;
    private readonly TimeSpan _betweenPreviews;
    private readonly long _started;
    private long _shown;
    private long _previewed;
    private TimeSpan _previewCost;
    private long _stageStarted;
    private int _stageFirst;
    private ProgressView _now;

    /// <summary>Creates and shows the display.</summary>
    /// <param name="title">The task, in a few words.</param>
    /// <param name="output">Where to show it.</param>
    /// <param name="clock">Clock; null for the system clock.</param>
    public LiveProgress(string title, Output output, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        _started = _shown = _stageStarted = _clock.GetTimestamp();
        _rich = output.IsRich;
        _betweenPreviews = output.PreviewInterval;
        _now = new ProgressView(title);
        _update = output.Display(_now);
    }

    /// <summary>The last state.</summary>
    public ProgressView Now
    {
        get
        {
            lock (_gate)
                return _now;
        }
    }

    /// <inheritdoc/>
    public void Report(WorkProgress value) => Report(value as InversionProgress ?? new InversionProgress(value.Where, 0, 0));

    private void Report(InversionProgress value)
    {
        lock (_gate)
        {
            if (_now.At?.Stage != value.Stage || value.Step < _now.At.Step)
            {
                _stageStarted = _clock.GetTimestamp();
                _stageFirst = value.Step;
            }

            int done = value.Step - _stageFirst;
            TimeSpan spent = _clock.GetElapsedTime(_stageStarted);
            // At least two steps: the first of a stage includes warm-up.
            TimeSpan? remaining = done >= 2 && value.Of > value.Step ? spent / done * (value.Of - value.Step) : null;
            _now = _now with { At = value.Loss is null && _now.At?.Stage == value.Stage ? value with { Loss = _now.At.Loss } : value, Remaining = remaining };
            Send(last: false);
        }
    }

    /// <summary>Starts one of several parts.</summary>
    public void Part(int number, int of, string name)
    {
        lock (_gate)
        {
            _now = _now with { Part = of > 1 ? $"{number} of {of}: {name}" : name, At = null, Remaining = null };
            Send(last: false);
        }
    }

    /// <summary>Ends the display.</summary>
    public void Finish(ProgressEnd end)
    {
        lock (_gate)
        {
            // The result shows the final pictures; the display keeps one line.
            _now = _now with
            {
                End = end,
                Preview = null,
                Remaining = null,
            };
            Send(last: true);
        }
    }

    /// <summary>Wraps a predictor so that previews of the picture are shown from time to time.</summary>
    public INoisePredictor Watch(INoisePredictor predictor, IDiffusionModel model) => _rich ? new Watching(this, predictor, model) : predictor;

    private void Send(bool last)
    {
        if (!last && _clock.GetElapsedTime(_shown) < BetweenUpdates)
            return;
        _shown = _clock.GetTimestamp();
        _now = _now with { Elapsed = _clock.GetElapsedTime(_started) };
        _update(_now);
    }

    private bool PreviewDue()
    {
        lock (_gate)
        {
            // Previews may take a twentieth of the time: one a second with a small model (four under a slider), few with a large one on a CPU.
            TimeSpan wait = TimeSpan.FromTicks(Math.Max(_betweenPreviews.Ticks, 20 * _previewCost.Ticks));
            return _clock.GetElapsedTime(_previewed == 0 ? _started : _previewed) >= wait;
        }
    }

    private void Preview(Func<RgbImage> draw)
    {
        long begun = _clock.GetTimestamp();
        RgbImage picture = draw();
        lock (_gate)
        {
            _previewCost = _clock.GetElapsedTime(begun);
            _previewed = _clock.GetTimestamp();
            _now = _now with { Preview = picture };
        }
    }

    /// <summary>Sees every prediction; decodes the last row's estimate of the clean latents when a preview is due.</summary>
    private sealed class Watching(LiveProgress owner, INoisePredictor inner, IDiffusionModel model) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
        {
            Tensor noise = inner.Predict(latents, step, condition);
            if (owner.PreviewDue())
                owner.Preview(() => Estimate(latents, noise, step));
            return noise;
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
            if (owner.PreviewDue())
                owner.Preview(() => Estimate(latents, result.Prediction, step));
            return result;
        }

        private RgbImage Estimate(Tensor latents, Tensor noise, DiffusionStep step)
        {
            using IDisposable grad = no_grad();
            using DisposeScope scope = NewDisposeScope();
            // The last row is the prompt's (of an edit: the target's).
            long row = latents.shape[0] - 1;
            Tensor clean = Ddim.Move(latents.narrow(0, row, 1).detach(), noise.narrow(0, row, 1).detach(), step.Noisy, step.Noisy.Image);
            return model.Decode(clean)[0];
        }
    }
}
