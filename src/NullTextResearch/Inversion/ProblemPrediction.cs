using NullTextResearch.Diffusion;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

internal static class ProblemPrediction
{
    /// <summary>The noise prediction at w, with one evaluation an image where w is 1 and two otherwise; owned by the caller's dispose scope.</summary>
    public static Tensor Predict(this InversionProblem problem, Tensor latents, DiffusionStep step, double guidanceScale) =>
        guidanceScale == 1
            ? problem.Predictor.Predict(latents, step, problem.Conditional)
            : Guidance.Predict(problem.Predictor, latents, step, problem.Conditional, problem.Unconditional, guidanceScale);
}
