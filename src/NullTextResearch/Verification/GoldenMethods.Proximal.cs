using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Proximal()
    {
        InversionProblem problem = Problem(Prompts[0], Guided);
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem, null, null, Cancellation);
        Report("ddim_latents", Stacked(pivot));
        InversionProblem negative = problem with { Unconditional = problem.Conditional };
        Report("recon_stage.latents", Sampled(negative, pivot.Noisiest, DdimReplay.Instance, Prompts[0], Guided));
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            (Tensor latents, Tensor thresholds) = Proximal(golden, scope);
            if (_dtype == ScalarType.Float32 && HasFlipped(latents, prefix + "latents.last", golden, scope))
            {
                foreach (string tensor in _file.Tensors.Where(t => t.StartsWith(prefix, StringComparison.Ordinal)))
                    _file.Skip(tensor, "a float32 value crosses a threshold on this CPU: computed float32 and float64 differ by more than 3e-4");
                continue;
            }
            Report(prefix + "latents", latents);
            _file.Report(prefix + "thresholds", thresholds);
        }
    }

    /// <summary>
    /// Whether rounding pushed a value across a threshold, by the rule of the references themselves: a float32 value is not comparable if it differs
    /// from float64 by more than a relative 3e-4. Which values differ depends on the CPU's vector instructions, so the references cannot list them.
    /// </summary>
    private bool HasFlipped(Tensor latents, string stored, JsonElement golden, DisposeScope scope)
    {
        const double Flip = 3e-4;
        Tensor last = latents.select(0, latents.shape[0] - 1).to(ScalarType.Float64);
        if (!_file.Tensors.Contains(stored) || Differ(last, _file.Read(stored).to(ScalarType.Float64)) <= Flip)
            return false;
        Tensor exact = new GoldenMethods(_file, ScalarType.Float64).Proximal(golden, scope).Latents;
        return Differ(last, exact.select(0, exact.shape[0] - 1)) > Flip;

        static double Differ(Tensor a, Tensor b) => a.sub(b).norm().div(b.norm()).item<double>();
    }

    /// <summary>Latents after each step, and the threshold of each step.</summary>
    private (Tensor Latents, Tensor Thresholds) Proximal(JsonElement golden, DisposeScope scope)
    {
        TimestepGrid grid = Grid();
        InversionProblem problem = Problem(Prompts[0], Guided, grid);
        ProximalOptions options = OptionsOf(golden);
        using InversionResult inverted = new ProximalNegativePromptInversion(options).Invert(problem, null, Cancellation);
        List<Tensor> thresholds = [];
        using InversionResult watched = Inverted(
            problem with
            {
                Unconditional = problem.Conditional,
            },
            inverted.StartLatents,
            new ProximalReplay(((ProximalReplay)inverted.Replay).Targets.clone().DetachFromDisposeScope(), options, grid.Schedule.TrainTimesteps)
            {
                Observer = (_, rows) => thresholds.Add(rows.select(0, 1).flatten().clone().MoveToOtherDisposeScope(scope)),
            }
        );
        EditTarget target = new()
        {
            Prompt = Tokenized(Prompts[1]),
            Edit = new WordSwap { Tail = TailRule.Published },
            CrossReplace = CrossReplaceSchedule.Until(golden.GetProperty("cross_replace_steps").GetDouble()),
            SelfReplace = StepWindow.Until(golden.GetProperty("self_replace_steps").GetDouble()),
        };
        return (Edited(watched, grid, [Prompts[0]], target, new PromptToPromptOptions()), cat([.. thresholds]));

        ProximalOptions OptionsOf(JsonElement golden)
        {
            double quantile = golden.GetProperty("quantile").GetDouble(),
                until = golden.GetProperty("recon_t").GetDouble() / grid.Schedule.TrainTimesteps;
            return new ProximalOptions
            {
                Rule = golden.GetProperty("prox").GetString() == "l0" ? ProximalRule.Hard : ProximalRule.Soft,
                Quantile = Math.Max(0, quantile),
                Threshold = quantile < 0 ? -quantile : null,
                SharedThreshold = true,
                Pull = golden.GetProperty("recon_lr").GetDouble(),
                PullBelow = until > 0 ? until : null,
                PullAbove = until < 0 ? -until : null,
                // A negative timestep enables the pull, regardless of the switch.
                PullsToPivot = until < 0 || golden.GetProperty("inversion_guidance").GetBoolean(),
                PullsToImage = Is("recon"),
                Dilate = golden.GetProperty("dilate_mask").GetInt32(),
                PublishedShrinking = !Is("intended"),
            };

            bool Is(string name) => golden.TryGetProperty(name, out JsonElement value) && value.GetBoolean();
        }
    }
}
