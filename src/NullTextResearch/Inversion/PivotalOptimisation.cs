using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Which embedding is trained; the others stay fixed.</summary>
internal enum Trained
{
    Unconditional,
    Conditional,

    /// <summary>The prompt's embedding behind the values of cross-attention; the one behind the keys stays fixed.</summary>
    ConditionalValues,
}

/// <summary>
/// Algorithm 1 of Mokady et al. for a batch of images: at each step, from noisy to clean, one embedding per image is tuned
/// until the guided move of the running latents lands on the pivot; then the running latents advance.
/// </summary>
internal sealed class PivotalOptimisation
{
    private readonly string _method;
    private readonly InversionProblem _problem;
    private readonly NullTextOptions _options;
    private readonly Trained _trained;
    private readonly InversionMeter _meter;
    private readonly List<StepOptimisation>[] _log;
    private readonly EmbeddingLineSearch? _lineSearch;

    public PivotalOptimisation(string method, InversionProblem problem, NullTextOptions options, Trained trained, InversionMeter meter)
    {
        (_method, _problem, _options, _trained, _meter) = (method, problem, options, trained, meter);
        _log = [.. Enumerable.Range(0, problem.Images).Select(_ => new List<StepOptimisation>())];
        _lineSearch =
            options.Optimiser == NullTextOptimiser.LineSearch ? new EmbeddingLineSearch(options, method, meter, problem.Images, problem.Grid.Steps) : null;
    }

    /// <summary>Receives step, inner step and gradient before each update; null to disable.</summary>
    public Action<DiffusionStep, int, Tensor>? GradientObserver { get; init; }

    /// <summary>Finds the pivot by DDIM inversion and runs all steps.</summary>
    public static InversionResult Invert(
        string method,
        InversionProblem problem,
        NullTextOptions options,
        Trained trained,
        IProgress<InversionProgress>? progress,
        CancellationToken cancellation
    )
    {
        problem.Validate();
        options.Validate();
        InversionMeter meter = new(problem.Predictor, problem.Images);
        InversionProblem counted = problem with { Predictor = meter };
        PivotTrajectory pivot = options.Inversion.ClimbPlain(counted, method, progress, cancellation);
        return new PivotalOptimisation(method, counted, options, trained, meter).Run(pivot, null, null, options, progress, cancellation);
    }

    /// <summary>Runs all steps, or those that a saved state has not completed.</summary>
    /// <param name="pivot">Where the running latents should land; becomes part of the result, or is disposed on failure.</param>
    /// <param name="resume">State of an interrupted run; null to start from scratch.</param>
    /// <param name="checkpoint">Receives the state after each step; null to disable.</param>
    /// <param name="options">Options that the result reports.</param>
    /// <param name="progress">Called after each inner step and each step; null to disable.</param>
    /// <param name="cancellation">Checked at every inner step.</param>
    public InversionResult Run(
        PivotTrajectory pivot,
        NullTextState? resume,
        Action<NullTextState>? checkpoint,
        object options,
        IProgress<InversionProgress>? progress,
        CancellationToken cancellation
    )
    {
        try
        {
            using DisposeScope outer = NewDisposeScope();
            using IDisposable grad = no_grad();
            int first = resume?.StepsDone ?? 0;
            List<Tensor> embeddings = [.. resume?.Embeddings.Select(e => e.alias()) ?? []];
            Tensor latents = (resume?.Latents ?? pivot.Noisiest).alias();
            Tensor? change = null;
            if (resume is not null)
            {
                for (int image = 0; image < _log.Length; image++)
                    _log[image].AddRange(resume.Optimisation[image]);
                for (int done = 0; done < first; done++)
                {
                    _lineSearch?.Moved(StartOf(embeddings.Take(done)), embeddings[done]);
                    change = Changed(change, StartOf(embeddings.Take(done)), embeddings[done]);
                }
            }
            foreach (DiffusionStep step in _problem.Grid.Moves.Skip(first))
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor before = StartOf(embeddings).detach(),
                    embedding = before.clone();
                Tensor next = Step(step, pivot, latents, embedding, change, progress, cancellation);
                _lineSearch?.Moved(before, embedding);
                change = Changed(change, before, embedding)?.MoveToOuterDisposeScope();
                latents.Dispose();
                latents = next.MoveToOuterDisposeScope();
                embeddings.Add(embedding.MoveToOuterDisposeScope());
                progress?.Report(new InversionProgress(_method, step.Step + 1, _problem.Grid.Steps, _log.Max(l => l[^1].Losses.Count), LastLoss()));
                checkpoint?.Invoke(
                    new NullTextState
                    {
                        Embeddings = embeddings,
                        Latents = latents,
                        Pivot = pivot,
                        Optimisation = _log,
                        Forwards = _meter.Forwards,
                        Backwards = _meter.Backwards,
                        Elapsed = _meter.Elapsed,
                    }
                );
            }
            StepEmbeddings trained = StepEmbeddings.PerStep(AtAllSteps(stack(embeddings)));
            bool nullText = _trained == Trained.Unconditional;
            return new InversionResult
            {
                Method = _method,
                GuidanceScale = _problem.GuidanceScale,
                StartLatents = pivot.Noisiest.Snapshot(),
                IsPromptOptimised = !nullText,
                Conditional = nullText ? StepEmbeddings.Constant(_problem.Conditional) : trained,
                Unconditional = nullText ? trained : StepEmbeddings.Constant(_problem.Unconditional),
                Pivot = pivot,
                Reconstruction = _options.Advance == AdvanceMode.ReuseLastInner ? null : latents.Snapshot(),
                Optimisation = _log,
                EvaluationsPerImage = _meter.ForwardsPerImage,
                BackwardsPerImage = _meter.BackwardsPerImage,
                GradientBackOffs = _meter.BackOffs,
                Elapsed = _meter.Elapsed,
                Options = options,
            };
        }
        catch
        {
            pivot.Dispose();
            throw;
        }
    }

    /// <summary>The condition whose text embedding is trained, for every image.</summary>
    private Conditioning Start => _trained == Trained.Unconditional ? _problem.UnconditionalRows() : _problem.Conditional;

    /// <summary>The embedding with which a step begins, after those of earlier steps.</summary>
    private Tensor StartOf(IEnumerable<Tensor> earlier) =>
        _options.Start == NullTextStart.Prompt
            ? _problem.Conditional.ValueTokens ?? _problem.Conditional.Tokens
            : earlier.LastOrDefault() ?? Start.ValueTokens ?? Start.Tokens;

    /// <summary>That condition with another text embedding in place of the trained one.</summary>
    private Conditioning Own(Tensor text) => With(Start, text);

    private Conditioning With(Conditioning condition, Tensor text) =>
        _trained == Trained.ConditionalValues ? condition with { ValueTokens = text } : condition with { Tokens = text };

    /// <summary>The condition of every step, given the trained embeddings, [T, B, tokens, d].</summary>
    private Conditioning AtAllSteps(Tensor text)
    {
        Conditioning own = Own(text);
        return _trained == Trained.ConditionalValues ? own with { Tokens = own.Tokens.unsqueeze(0).expand(text.shape) } : own;
    }

    /// <summary>The trained embedding of a condition.</summary>
    private Tensor TrainedOf(Conditioning own) => _trained == Trained.ConditionalValues ? own.ValueTokens! : own.Tokens;

    private double? LastLoss() => _log[0][^1].Losses.Count == 0 ? null : _log.Average(l => l[^1].Losses[^1]);

    /// <summary>Tunes <paramref name="embedding"/> in place and returns the advanced latents.</summary>
    private Tensor Step(
        DiffusionStep step,
        PivotTrajectory pivot,
        Tensor latents,
        Tensor embedding,
        Tensor? change,
        IProgress<InversionProgress>? progress,
        CancellationToken cancellation
    )
    {
        cancellation.ThrowIfCancellationRequested();
        // The other embedding does not change within the step, so its prediction is made once and shared with the advance.
        Tensor other = _meter.Predict(latents, step, _trained == Trained.Unconditional ? _problem.Conditional : _problem.UnconditionalRows());
        if (_lineSearch is not null)
        {
            EmbeddingLineSearch.Aim aim = new(
                step,
                latents,
                other,
                pivot.TargetOf(step),
                IsTheOther(embedding),
                Own,
                With,
                Combine,
                _trained == Trained.ConditionalValues,
                change
            );
            Tensor tuned = _lineSearch.Tune(aim, embedding, _log, GradientObserver, cancellation);
            return Ddim.Move(latents, Combine(tuned, other), step.Noisy, step.Clean);
        }
        Tensor? lastPrediction =
            _options.Advance == AdvanceMode.ReuseLastInner && _options.InnerStepsAt(step.Step, _problem.Grid.Steps) > 0 ? empty_like(latents) : null;
        Tune(step, new Rows(latents, other, pivot.TargetOf(step), Own(embedding)), embedding, lastPrediction, progress, cancellation);
        cancellation.ThrowIfCancellationRequested();
        Tensor own;
        if (_options.Advance == AdvanceMode.ReevaluateBoth)
        {
            (Tensor without, Tensor with) =
                _trained == Trained.Unconditional
                    ? Guidance.PredictBoth(_meter, latents, step, _problem.Conditional, Own(embedding))
                    : Guidance.PredictBoth(_meter, latents, step, Own(embedding), _problem.Unconditional);
            (own, other) = _trained == Trained.Unconditional ? (without, with) : (with, without);
        }
        else
        {
            own = lastPrediction ?? _meter.Predict(latents, step, Own(embedding));
        }
        return Ddim.Move(latents, Combine(own, other), step.Noisy, step.Clean);
    }

    /// <summary>By what each embedding was last changed, where that may be tried again; null where it may not.</summary>
    /// <param name="last">The same before this step, or null for the first; disposed.</param>
    /// <param name="before">Embeddings at the step's beginning.</param>
    /// <param name="after">Embeddings at its end.</param>
    private Tensor? Changed(Tensor? last, Tensor before, Tensor after)
    {
        if (!_options.TryLastChange)
            return null;
        using DisposeScope scope = NewDisposeScope();
        Tensor change = after.sub(before);
        if (last is not null)
            change = where(change.to(ScalarType.Bool).flatten(1).any(1).view(-1, 1, 1), change, last);
        last?.Dispose();
        return change.MoveToOuterDisposeScope();
    }

    /// <summary>Per image: whether the null text is the prompt itself, whose prediction is known.</summary>
    private bool[] IsTheOther(Tensor embedding)
    {
        // A pooled embedding or anything else beside the tokens still tells the two conditions apart.
        if (_trained != Trained.Unconditional || _options.Start != NullTextStart.Prompt || _problem.Conditional.Tensors.Count() > 1)
            return new bool[_log.Length];
        using DisposeScope scope = NewDisposeScope();
        return embedding.eq(_problem.Conditional.Tokens).flatten(1).all(1).cpu().data<bool>().ToArray();
    }

    private Tensor Combine(Tensor own, Tensor other) =>
        _trained == Trained.Unconditional ? Guidance.Combine(own, other, _problem.GuidanceScale) : Guidance.Combine(other, own, _problem.GuidanceScale);

    private void Tune(
        DiffusionStep step,
        Rows rows,
        Tensor embedding,
        Tensor? lastPrediction,
        IProgress<InversionProgress>? progress,
        CancellationToken cancellation
    )
    {
        int steps = _problem.Grid.Steps;
        double rate = _options.LearningRateAt(step.Step, steps);
        double threshold = _options.StopEarly ? _options.EarlyStopLossAt(step.Step) : double.NegativeInfinity;
        List<double>[] losses = [.. _log.Select(_ => new List<double>())];
        StopReason[] stops = [.. _log.Select(_ => StopReason.InnerStepLimit)];
        int[] active = [.. Enumerable.Range(0, _log.Length)];
        int most = _options.InnerStepsAt(step.Step, steps);
        using RowAdam adam = new(_options.Adam);
        for (int inner = 0; inner < most && active.Length > 0; inner++)
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Rows current = rows;
            (double[] loss, Tensor gradient, Tensor prediction) = EmbeddingGradient.Compute(
                _meter,
                current.Latents,
                step,
                current.Own,
                own => EmbeddingGradient.MeanSquare(Ddim.Move(current.Latents, Combine(own, current.Other), step.Noisy, step.Clean), current.Target),
                ofValues: _trained == Trained.ConditionalValues
            );
            for (int row = 0; row < active.Length; row++)
            {
                List<double> history = losses[active[row]];
                history.Add(loss[row]);
                if (!double.IsFinite(loss[row]))
                    throw new InversionDivergedException(_method, active[row], step.Step, step.Timestep, history.TakeLast(5).ToArray());
            }
            EmbeddingGradient.KeepRows(gradient, _options.Rows);
            GradientObserver?.Invoke(step, inner, gradient);
            adam.Update(TrainedOf(current.Own), gradient, rate);
            progress?.Report(new InversionProgress(_method, step.Step, steps, inner + 1, loss.Average()));

            // As in the released code, the test comes after the update but uses the loss from before it.
            int[] going = [.. Enumerable.Range(0, active.Length).Where(row => !(loss[row] < threshold))];
            bool leaving = going.Length < active.Length || inner + 1 == most;
            if (!leaving)
                continue;
            Tensor images = from_array(active.Select(image => (long)image).ToArray()).to(embedding.device);
            // Until the first image stops, the rows are the batch itself and their updates are already in place.
            if (!ReferenceEquals(TrainedOf(current.Own), embedding))
                embedding.index_copy_(0, images, TrainedOf(current.Own));
            lastPrediction?.index_copy_(0, images, prediction);
            if (going.Length == active.Length)
                continue;
            foreach (int image in active.Except(going.Select(row => active[row])))
                stops[image] = StopReason.EarlyStop;
            // Finished images leave the batch: no evaluation is spent on them.
            Tensor keep = from_array(going.Select(row => (long)row).ToArray()).to(embedding.device);
            if (going.Length > 0)
            {
                adam.Select(keep);
                rows = current.Select(keep);
            }
            active = [.. going.Select(row => active[row])];
        }
        for (int image = 0; image < _log.Length; image++)
            _log[image].Add(new StepOptimisation(losses[image], stops[image]));
    }

    /// <summary>The rows still being optimised: those of the batch, or copies of some of them.</summary>
    private sealed record Rows(Tensor Latents, Tensor Other, Tensor Target, Conditioning Own)
    {
        /// <summary>Some of the rows, in the enclosing step's dispose scope.</summary>
        public Rows Select(Tensor keep) => new(Take(Latents, keep), Take(Other, keep), Take(Target, keep), Own.Select(keep).MoveToOuterDisposeScope());

        private static Tensor Take(Tensor rows, Tensor keep) => rows.index_select(0, keep).MoveToOuterDisposeScope();
    }
}
