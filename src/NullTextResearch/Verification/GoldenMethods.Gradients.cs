using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Gnri()
    {
        TimestepGrid grid = Grid();
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            GnriOptions options = new()
            {
                Iterations = golden.GetProperty("n_iters").GetInt32(),
                PriorWeight = golden.GetProperty("alpha").GetDouble(),
                PublishedSlope = true,
                PublishedCount = true,
                PublishedPrior = true,
            };
            using Walk walk = new GnriPath(options).Climb(Problem(Prompts[0], 1, grid), null, Cancellation);
            Report(Name(golden) + ".inv_latents", Stacked(walk.Levels).flatten(0, 1));
        }
        double[] sigmas = [.. grid.Moves.Select(m => GnriPath.Sigma(m.Noisy)), 0];
        _file.Report("sigmas", tensor(sigmas).to(_dtype));
    }

    private void SpdInv()
    {
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            // The original's optimiser has a weight decay that the manifest does not list.
            const double Decay = 0.01;
            SpdInvOptions options = new()
            {
                Rounds = golden.GetProperty("K_round").GetInt32(),
                LearningRate = golden.GetProperty("learning_rate").GetDouble(),
                StopBelow = golden.GetProperty("enable_threshold").GetBoolean() ? golden.GetProperty("delta_threshold").GetDouble() : 0,
                WeightDecay = Decay,
            };
            List<double>[] losses = [.. Enumerable.Range(0, Steps).Select(_ => new List<double>())];
            using Walk walk = new SpdInvPath(options) { Observer = (step, _, loss) => losses[Steps - 1 - step.Step].Add(loss) }.Climb(
                Problem(Prompts[0]),
                null,
                Cancellation
            );
            Report(prefix + "inv_latents", Stacked(walk.Levels).flatten(0, 1));
            // -1 marks a round that was not run.
            double[] padded = [.. losses.SelectMany(l => l.Concat(Enumerable.Repeat(-1.0, options.Rounds - l.Count)))];
            _file.Report(prefix + "losses", tensor(padded, [Steps, options.Rounds]));
            _file.Report(prefix + "inner_counts", tensor(losses.Select(l => (long)l.Count).ToArray()));
        }
    }
}
