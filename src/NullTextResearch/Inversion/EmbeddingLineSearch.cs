using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Tunes the embeddings of one timestep by steps along the negative gradient. The latents after the step are affine in the trained prediction, so with the
/// prediction linearised along the direction, the loss is a parabola whose minimum follows from one further evaluation, that of a trial step. The trial is as
/// long as the image's last move, so it is often good enough to be kept as it is.
/// </summary>
/// <remarks>
/// Everything that steers it (lengths, what was spent) follows from the embeddings and losses of earlier steps, so a saved state needs nothing else, and an
/// image takes the same steps in any batch.
/// </remarks>
internal sealed class EmbeddingLineSearch(NullTextOptions options, string method, InversionMeter meter, int images, int steps)
{
    // The first trial moves an embedding by this share of its norm: about as far as one update of Adam at the released rate.
    private const double FirstTrial = 0.01;

    // The trial after one that did not lower the loss.
    private const double Shrink = 0.25;

    // A second evaluation has to promise at least this factor of the loss.
    private const double Promise = 0.8;

    // The linearisation is not trusted further than this many trial lengths.
    private const double Furthest = 8;

    private readonly double[] _lengths = new double[images];

    /// <summary>Learns how far the embeddings moved between two steps.</summary>
    /// <param name="before">[B, tokens, d]; borrowed.</param>
    /// <param name="after">The same shape; borrowed.</param>
    public void Moved(Tensor before, Tensor after)
    {
        using DisposeScope scope = NewDisposeScope();
        double[] moved = EmbeddingGradient.ToDoubles(Norms(after.sub(before)));
        for (int image = 0; image < images; image++)
        {
            if (moved[image] > 0)
                _lengths[image] = moved[image];
        }
    }

    /// <summary>Tunes the embeddings of all images in place.</summary>
    /// <param name="aim">What they are tuned for.</param>
    /// <param name="embedding">[B, tokens, d], changed in place.</param>
    /// <param name="log">What was done so far, per image; receives one entry each.</param>
    /// <param name="observer">Receives gradients; null to disable.</param>
    /// <param name="cancellation">Checked before each gradient.</param>
    /// <returns>The prediction of the tuned embeddings, [B, C, H, W], owned by the caller's dispose scope.</returns>
    public Tensor Tune(
        Aim aim,
        Tensor embedding,
        IReadOnlyList<List<StepOptimisation>> log,
        Action<DiffusionStep, int, Tensor>? observer,
        CancellationToken cancellation
    )
    {
        using DisposeScope scope = NewDisposeScope();
        double threshold = options.StopEarly ? options.EarlyStopLossAt(aim.Step.Step) : double.NegativeInfinity;
        int[] all = [.. Enumerable.Range(0, images)],
            allowed = [.. log.Select(done => Allowed(aim.Step, done))];
        List<double>[] losses = [.. log.Select(_ => new List<double>())];
        StopReason[] stops = [.. log.Select(_ => StopReason.InnerStepLimit)];
        double[] norms = EmbeddingGradient.ToDoubles(Norms(embedding)),
            lengths = [.. all.Select(i => TrialLength(i, norms[i], log[i]))],
            changes = aim.LastChange is { } change ? EmbeddingGradient.ToDoubles(Norms(change)) : new double[images];
        Tensor own = aim.Other.clone();
        // A gradient comes with its prediction. Images that the last step left as they were are likely to be left again: they get the prediction alone.
        int[] hasty = [.. all.Where(i => !aim.IsKnown[i] && allowed[i] > 0 && !(changes[i] > 0) && !(log[i].Count > 0 && IsLeft(log[i][^1])))],
            predicted = [.. all.Where(i => !aim.IsKnown[i]).Except(hasty)];
        if (predicted.Length > 0)
            Put(own, predicted, meter.Predict(Take(aim.Latents, predicted), aim.Step, Conditioned(aim, embedding, predicted)));
        double[] first = aim.Losses(own, aim.Other, aim.Latents, aim.Pivot);
        foreach (int image in all.Except(hasty))
            Add(losses, image, first[image], aim.Step);
        int[] changing = [.. all.Where(i => changes[i] > 0 && allowed[i] > 0 && !(losses[i][^1] < threshold))];
        if (changing.Length > 0)
        {
            double[] reached = [.. changing.Select(i => losses[i][^1])],
                after = Step(aim, changing, Take(aim.LastChange!, changing).neg(), reached, changes, threshold, embedding, own);
            foreach ((int row, int image) in changing.Index())
                Add(losses, image, after[row], aim.Step);
        }
        CurvatureMemory memory = new(options.Memory, images);
        int[] active = [.. all.Where(i => hasty.Contains(i) || (losses[i].Count - 1 < allowed[i] && !(losses[i][^1] < threshold)))];
        for (int inner = 0; active.Length > 0; inner++)
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope one = NewDisposeScope();
            (double[] loss, Tensor gradient, Tensor prediction) = aim.Differentiate(meter, Conditioned(aim, embedding, active), active);
            EmbeddingGradient.KeepRows(gradient, options.Rows);
            observer?.Invoke(aim.Step, inner, gradient);
            int[] fresh = [.. Enumerable.Range(0, active.Length).Where(row => losses[active[row]].Count == 0)];
            foreach (int row in fresh)
                Add(losses, active[row], loss[row], aim.Step);
            if (fresh.Length > 0)
                Put(own, [.. fresh.Select(row => active[row])], Take(prediction, fresh));
            int[] going = [.. Enumerable.Range(0, active.Length).Where(row => !(losses[active[row]][^1] < threshold))],
                moving = [.. going.Select(row => active[row])];
            if (moving.Length > 0)
            {
                // Not the loss beside the gradient: a graph that is recorded may round differently, and no update may seem to raise the loss.
                Tensor uphill = memory.Uphill(moving, Take(embedding, moving), Take(gradient, going), lengths);
                double[] reached = [.. moving.Select(image => losses[image][^1])],
                    after = Step(aim, moving, uphill, reached, lengths, threshold, embedding, own);
                for (int row = 0; row < moving.Length; row++)
                {
                    if (!(after[row] < reached[row]))
                        stops[moving[row]] = StopReason.NoDescent;
                    Add(losses, moving[row], after[row], aim.Step);
                }
            }
            active = [.. active.Where(i => !(losses[i][^1] < threshold) && stops[i] != StopReason.NoDescent && losses[i].Count - 1 < allowed[i])];
        }
        foreach (int image in all)
        {
            if (losses[image][^1] < threshold)
                stops[image] = StopReason.EarlyStop;
            log[image].Add(new StepOptimisation(losses[image], stops[image]));
        }
        return own.MoveToOuterDisposeScope();
    }

    /// <summary>One step of some images, whose embeddings and predictions are replaced where the loss falls.</summary>
    /// <param name="aim">What they are tuned for.</param>
    /// <param name="moving">The images.</param>
    /// <param name="uphill">Directions against which they move; only the length of a trial says how far.</param>
    /// <param name="loss">Their losses.</param>
    /// <param name="lengths">Length of the trial, of all images; changed for those whose minimum lies elsewhere.</param>
    /// <param name="threshold">Loss that is good enough.</param>
    /// <param name="embedding">Embeddings of all images, changed in place.</param>
    /// <param name="own">Their predictions, changed in place.</param>
    /// <returns>Losses afterwards; never above those before.</returns>
    private double[] Step(Aim aim, int[] moving, Tensor uphill, double[] loss, double[] lengths, double threshold, Tensor embedding, Tensor own)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor start = Take(embedding, moving),
            latents = Take(aim.Latents, moving),
            other = Take(aim.Other, moving),
            pivot = Take(aim.Pivot, moving);
        double[] norms = EmbeddingGradient.ToDoubles(Norms(uphill)),
            factors = [.. moving.Select((image, row) => norms[row] > 0 ? -lengths[image] / norms[row] : 0)];
        // A direction of zero stays one: the trial changes nothing, and the step ends without descent.
        Tensor trial = uphill.mul(PerRow(factors, uphill));
        Tensor before = aim.Moved(Take(own, moving), other, latents),
            residual = before.sub(pivot).flatten(1);
        double[] best = [.. loss];
        Tensor tried = TryAt(Enumerable.Range(0, moving.Length).ToArray(), start.Plus(trial));
        Tensor slope = tried.sub(before).flatten(1);
        double[] along = EmbeddingGradient.ToDoubles(residual.mul(slope).sum([1])),
            curvature = EmbeddingGradient.ToDoubles(slope.Squared().sum([1])),
            size = EmbeddingGradient.ToDoubles(residual.Squared().sum([1]));
        double[] minimum = [.. along.Select((a, row) => Math.Min(-a / curvature[row], Furthest))];
        // NaN, where the trial changed nothing, fails every comparison.
        int[] again =
        [
            .. Enumerable
                .Range(0, moving.Length)
                .Where(row =>
                    minimum[row] > 0
                    && !(best[row] < threshold)
                    && loss[row] * (1 - (along[row] * along[row] / (curvature[row] * size[row]))) < Promise * best[row]
                ),
        ];
        if (again.Length > 0)
        {
            TryAt(again, Take(start, again).Plus(Take(trial, again).mul(PerRow([.. again.Select(row => minimum[row])], trial))));
            // The next trial of the same timestep is as long as this step should have been.
            foreach (int row in again)
                lengths[moving[row]] *= minimum[row];
        }
        return best;

        // The latents after the step; embeddings that are better than the best so far are kept.
        Tensor TryAt(int[] rows, Tensor candidate)
        {
            int[] chosen = [.. rows.Select(row => moving[row])];
            Tensor prediction = meter.Predict(Take(latents, rows), aim.Step, Conditioned(aim, embedding, chosen, candidate));
            Tensor moved = aim.Moved(prediction, Take(other, rows), Take(latents, rows));
            double[] now = EmbeddingGradient.ToDoubles(EmbeddingGradient.MeanSquare(moved, Take(pivot, rows)));
            int[] better = [.. Enumerable.Range(0, rows.Length).Where(k => now[k] < best[rows[k]])];
            if (better.Length > 0)
            {
                int[] improved = [.. better.Select(k => chosen[k])];
                Put(embedding, improved, Take(candidate, better));
                Put(own, improved, Take(prediction, better));
            }
            foreach (int k in better)
                best[rows[k]] = now[k];
            return moved;
        }
    }

    /// <summary>How many updates an image may spend at a timestep.</summary>
    private int Allowed(DiffusionStep step, List<StepOptimisation> done)
    {
        int most = options.InnerStepsAt(step.Step, steps);
        if (options.UpdateBudget is not { } budget)
            return most;
        int spent = done.Sum(earlier => earlier.Losses.Count - 1);
        return Math.Min(most, (int)Math.Ceiling(budget * (done.Count + 1)) - spent);
    }

    private double TrialLength(int image, double norm, List<StepOptimisation> done)
    {
        int failed = done.AsEnumerable().Reverse().TakeWhile(step => step.Stop == StopReason.NoDescent).Count();
        return (_lengths[image] > 0 ? _lengths[image] : FirstTrial * norm) * Math.Pow(Shrink, failed);
    }

    private static bool IsLeft(StepOptimisation step) => step is { Stop: StopReason.EarlyStop, Losses.Count: 1 };

    private void Add(List<double>[] losses, int image, double loss, DiffusionStep step)
    {
        losses[image].Add(loss);
        if (!double.IsFinite(loss))
            throw new InversionDivergedException(method, image, step.Step, step.Timestep, losses[image].TakeLast(5).ToArray());
    }

    private static Conditioning Conditioned(Aim aim, Tensor embedding, int[] rows, Tensor? candidate = null)
    {
        if (rows.Length == embedding.shape[0] && candidate is null)
            return aim.Own(embedding);
        Conditioning some = aim.Own(embedding).Select(Index(rows, embedding));
        return candidate is null ? some : aim.Replace(some, candidate);
    }

    private static Tensor Norms(Tensor rows) => rows.flatten(1).norm(1);

    private static Tensor PerRow(double[] factors, Tensor like) => from_array(factors).to(like.dtype, like.device).view(-1, 1, 1);

    private static Tensor Index(int[] rows, Tensor like) => from_array(rows.Select(row => (long)row).ToArray()).to(like.device);

    private static Tensor Take(Tensor tensor, int[] rows) => tensor.index_select(0, Index(rows, tensor));

    private static void Put(Tensor tensor, int[] rows, Tensor values) => tensor.index_copy_(0, Index(rows, tensor), values);

    /// <summary>What the embeddings of a timestep are tuned for; tensors of B rows, borrowed.</summary>
    /// <param name="Step">The timestep.</param>
    /// <param name="Latents">Running latents.</param>
    /// <param name="Other">Prediction of the embedding that stays fixed.</param>
    /// <param name="Pivot">Where the latents should land.</param>
    /// <param name="IsKnown">Per image: the trained embedding is still the other one, so that its prediction is known.</param>
    /// <param name="Own">The condition with trained embeddings of all images.</param>
    /// <param name="Replace">A condition with other trained embeddings.</param>
    /// <param name="Combine">Guidance: trained and other prediction.</param>
    /// <param name="OfValues">Whether value tokens are trained.</param>
    /// <param name="LastChange">By what earlier timesteps last changed each embedding; zero where nothing did, null where it is not to be tried.</param>
    public sealed record Aim(
        DiffusionStep Step,
        Tensor Latents,
        Tensor Other,
        Tensor Pivot,
        bool[] IsKnown,
        Func<Tensor, Conditioning> Own,
        Func<Conditioning, Tensor, Conditioning> Replace,
        Func<Tensor, Tensor, Tensor> Combine,
        bool OfValues,
        Tensor? LastChange
    )
    {
        /// <summary>The latents after the step.</summary>
        public Tensor Moved(Tensor own, Tensor other, Tensor latents) => Ddim.Move(latents, Combine(own, other), Step.Noisy, Step.Clean);

        /// <summary>Their mean squared distances to the pivot.</summary>
        public double[] Losses(Tensor own, Tensor other, Tensor latents, Tensor pivot)
        {
            using DisposeScope scope = NewDisposeScope();
            return EmbeddingGradient.ToDoubles(EmbeddingGradient.MeanSquare(Moved(own, other, latents), pivot));
        }

        /// <summary>Losses of some images, their gradients and predictions.</summary>
        public (double[] Losses, Tensor Gradient, Tensor Prediction) Differentiate(InversionMeter meter, Conditioning own, int[] rows)
        {
            Tensor latents = Take(Latents, rows),
                other = Take(Other, rows),
                pivot = Take(Pivot, rows);
            return EmbeddingGradient.Compute(
                meter,
                latents,
                Step,
                own,
                prediction => EmbeddingGradient.MeanSquare(Moved(prediction, other, latents), pivot),
                OfValues
            );
        }
    }
}
