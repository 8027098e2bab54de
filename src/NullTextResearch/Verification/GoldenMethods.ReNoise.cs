using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void ReNoise()
    {
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            int Whole(string name) => golden.GetProperty(name).GetInt32();
            int[] Range(string name) => [.. golden.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];
            InversionProblem problem = Problem(Prompts[0], golden.GetProperty("guidance").GetDouble());
            int[] early = Range("average_first_step_range"),
                later = Range("average_step_range");
            ReNoiseOptions options = new()
            {
                Renoisings = Whole("num_renoise_steps"),
                MostEarly = Whole("max_num_renoise_steps_first_step"),
                EarlyBelow = Whole("first_step_max_timestep"),
                Average = golden.GetProperty("average_latent_estimations").GetBoolean(),
                EarlyAverageFrom = early[0],
                EarlyAverageTo = early[1],
                AverageFrom = later[0],
                AverageTo = later[1],
                RegularisationRounds = Whole("noise_regularization_num_reg_steps"),
                PatchWeight = golden.GetProperty("noise_regularization_lambda_kl").GetDouble(),
                // The original does not scale this weight to the size of the latents.
                CorrelationWeight =
                    golden.GetProperty("noise_regularization_lambda_ac").GetDouble() * 64 * 64 / (problem.Latents.shape[2] * problem.Latents.shape[3]),
                Shifts = Whole("noise_regularization_num_ac_rolls"),
                PublishedReference = golden.GetProperty("identity_noise").GetBoolean(),
                GuidanceScale = problem.GuidanceScale,
            };
            using Walk walk = new ReNoisePath(options)
            {
                Noise = Stored("noise"),
                Shift = options is { RegularisationRounds: > 0, CorrelationWeight: > 0 } ? InTurn(Stored(prefix + "rolls")) : null,
            }.Climb(problem, null, Cancellation);
            Report(prefix + "inv_latents", Stacked(walk.Levels).flatten(0, 1));
            Tensor back = Sampled(problem, walk.Levels.Noisiest, DdimReplay.Instance, Prompts[0], options.GuidanceScale);
            Report(prefix + "rec_latent", back.select(0, back.shape[0] - 1));
        }
        if (!_file.WantsAny(t => t.StartsWith("loss.", StringComparison.Ordinal)))
            return;
        Tensor reference = Stored("loss.y");
        Loss("kl", x => NoiseStatistics.PatchDivergence(x, reference));
        Loss(
            "ac",
            x =>
            {
                Func<int, int> rolls = InTurn(Stored("loss.ac_rolls"));
                return NoiseStatistics.SelfCorrelation(x, rows => rolls(rows));
            }
        );

        void Loss(string name, Func<Tensor, Tensor> loss)
        {
            using DisposeScope scope = NewDisposeScope();
            using IDisposable grad = enable_grad();
            Tensor x = Stored("loss.x").detach().requires_grad_(true);
            Tensor value = loss(x);
            _file.Report("loss." + name, value.detach());
            _file.Report($"loss.{name}_grad", PredictionGradient.Of(value.sum(), [x])[0]);
        }
    }

    /// <summary>Returns the stored shifts in order.</summary>
    private static Func<int, int> InTurn(Tensor shifts)
    {
        int next = 0;
        int[] all = [.. shifts.to(ScalarType.Int64).data<long>().Select(v => (int)v)];
        return _ => all[next++];
    }
}
