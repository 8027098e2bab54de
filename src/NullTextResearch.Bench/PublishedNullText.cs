using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench;

/// <summary>
/// The released optimisation loop, one image at a time, with PyTorch's own Adam: the baseline. The library's inversion is
/// another implementation of the same arithmetic; the report compares both results.
/// </summary>
public static class PublishedNullText
{
    public sealed record Outcome(double[] Embeddings, double[] Latents, int InnerSteps, long Forwards);

    public static Outcome Run(
        StableDiffusion model,
        PivotTrajectory pivot,
        Tensor conditional,
        Tensor empty,
        TimestepGrid grid,
        int innerSteps,
        bool stopEarly,
        Waste waste
    )
    {
        const double Guidance = 7.5;
        NullTextOptions options = NullTextOptions.Default;
        CountingPredictor predictor = new(model.Predictor(waste.ExplicitMaps ? Attention.ExplicitAttention.Instance : null));
        model.UNet.Weights.SetTrainable(waste.WeightGradients);
        int inner = 0;
        using DisposeScope all = NewDisposeScope();
        Tensor embedding = empty.clone();
        Tensor latents = pivot.Noisiest.alias();
        List<Tensor> embeddings = [];
        foreach (DiffusionStep step in grid.Moves)
        {
            using DisposeScope scope = NewDisposeScope();
            using TorchSharp.Modules.Parameter parameter = new(embedding.detach().clone());
            using optim.Optimizer adam = optim.Adam([parameter], lr: options.LearningRateAt(step.Step, grid.Steps));
            Tensor conditionalNoise = Lifetime.WithoutGradient(() => predictor.Predict(latents, step, conditional));
            for (int j = 0; j < innerSteps; j++)
            {
                using DisposeScope innerScope = NewDisposeScope();
                Tensor noise = predictor.Predict(latents, step, parameter);
                Tensor next = Ddim.Move(latents, Diffusion.Guidance.Combine(noise, conditionalNoise, Guidance), step.Noisy, step.Clean);
                Tensor loss = nn.functional.mse_loss(next, pivot.TargetOf(step));
                adam.zero_grad();
                loss.backward();
                adam.step();
                inner++;
                if (stopEarly && loss.item<float>() < options.EarlyStopLossAt(step.Step))
                    break;
            }
            using (no_grad())
            {
                Tensor optimised = parameter.detach().clone();
                Tensor noise = waste.RecomputeConditional
                    ? Both(predictor, latents, step, optimised, conditional, Guidance)
                    : Diffusion.Guidance.Combine(predictor.Predict(latents, step, optimised), conditionalNoise, Guidance);
                Tensor next = Ddim.Move(latents, noise, step.Noisy, step.Clean);
                embeddings.Add(optimised.MoveToOuterDisposeScope());
                embedding.Dispose();
                latents.Dispose();
                embedding = optimised.clone().MoveToOuterDisposeScope();
                latents = next.MoveToOuterDisposeScope();
            }
        }
        model.UNet.Weights.SetTrainable(false);
        return new Outcome(Flat(stack(embeddings)), Flat(latents), inner, predictor.Evaluations);
    }

    public static double[] Flat(Tensor values)
    {
        using DisposeScope scope = NewDisposeScope();
        return values.detach().cpu().to(ScalarType.Float64).flatten().data<double>().ToArray();
    }

    public static double RelativeDistance(double[] a, double[] reference) =>
        Math.Sqrt(a.Zip(reference, (x, r) => (x - r) * (x - r)).Sum() / reference.Sum(r => r * r));

    private static Tensor Both(CountingPredictor predictor, Tensor latents, DiffusionStep step, Tensor embedding, Tensor conditional, double guidance)
    {
        Tensor[] both = predictor.Predict(cat([latents, latents], 0), step, cat([embedding, conditional], 0)).chunk(2, 0);
        return Diffusion.Guidance.Combine(both[0], both[1], guidance);
    }
}
