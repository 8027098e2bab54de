using System.Globalization;
using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Belm()
    {
        foreach (JsonElement golden in Cases)
        {
            TwoStepCase(
                Name(golden) + ".",
                new BelmOptions { Strength = NotFrozen(golden), GuidanceScale = golden.GetProperty("guidance").GetDouble() },
                Grid()
            );
        }
        SampledAfterDdim(BelmPath.Rule);
    }

    private void Bdia()
    {
        double[] gammas = [.. _file.Entry.GetProperty("gammas").EnumerateArray().Select(g => g.GetDouble())];
        foreach (JsonElement golden in Cases)
        {
            foreach (double gamma in gammas)
            {
                string prefix = $"{Name(golden)}_gamma{gamma.ToString(CultureInfo.InvariantCulture).Replace(".", "", StringComparison.Ordinal)}";
                foreach (BdiaFirstMove first in (BdiaFirstMove[])[BdiaFirstMove.WithoutNoise, BdiaFirstMove.Ddim])
                {
                    TwoStepCase(
                        prefix + (first == BdiaFirstMove.Ddim ? "_fixed." : "."),
                        new BdiaOptions
                        {
                            Gamma = gamma,
                            Strength = NotFrozen(golden),
                            GuidanceScale = golden.GetProperty("guidance").GetDouble(),
                            CleanImage = true,
                            FirstMove = first,
                        },
                        Grid()
                    );
                }
            }
        }
        SampledAfterDdim((clean, middle, noisy) => BdiaPath.Rule(clean, middle, noisy, gammas[0]));
    }

    private void BdiaOriginal()
    {
        TimestepGrid grid = new(new NoiseSchedule(DoubleTable(), finalIsOne: false, stepsOffset: 0), Steps);
        foreach (JsonElement golden in Cases)
        {
            TwoStepCase(
                Name(golden) + ".",
                new BdiaOptions
                {
                    Gamma = golden.GetProperty("gamma").GetDouble(),
                    Strength = golden.GetProperty("strength").GetDouble(),
                    GuidanceScale = golden.GetProperty("guidance").GetDouble(),
                    FirstMove = BdiaFirstMove.StrideBelow,
                },
                grid
            );
        }
    }

    /// <summary>Share of the levels that are inverted.</summary>
    private double NotFrozen(JsonElement golden) => 1 - (golden.GetProperty("freeze").GetDouble() / Steps);

    private void TwoStepCase(string prefix, PathOptions options, TimestepGrid grid)
    {
        if (!_file.WantsAny(t => t.StartsWith(prefix, StringComparison.Ordinal)))
            return;
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = Problem(Prompts[0], 1, grid);
        Asked asked = new(problem.Predictor);
        problem = problem with { Predictor = asked };
        using Walk walk = options.Create().Climb(problem, null, Cancellation);
        TwoStepReplay replay = (TwoStepReplay)walk.Replay;
        int climbed = replay.Rules.Count + 1;
        Tensor top = walk.Levels[climbed],
            before = walk.Levels[climbed - 1];
        Report(prefix + "inv_latents", cat([.. Enumerable.Range(0, climbed + 1).Select(k => walk.Levels[k])], 0));
        Timesteps("inv");
        _file.Report(prefix + "inv_pair", cat([top, before], 0));
        asked.Timesteps.Clear();
        Tensor back = Back(Prompts[0]);
        Timesteps("rec");
        // One of the two originals omits the state above the start.
        bool isPair = _file.Tensors.Contains(prefix + "inv_pair");
        Tensor[] start = isPair ? [before] : [top, before];
        Report(prefix + "rec_latents", cat([.. start, back], 0));
        Tensor edit = Back(Prompts[1]);
        Report(prefix + "edit_latents", cat([.. start, edit], 0));
        _file.Report(prefix + "edit", edit.narrow(0, edit.shape[0] - 1, 1));

        void Timesteps(string what)
        {
            string name = $"{prefix}{what}_timesteps";
            if (_file.Tensors.Contains(name))
                _file.Report(name, tensor(asked.Timesteps.ToArray()).to(_file.Dtype(name)));
        }

        Tensor Back(string prompt) => Firsts(Sampled(problem, before, replay, prompt, replay.SourceGuidance!.Value));
    }

    /// <summary>Sampling from noise: DDIM up to a given step, then the two-step rule, with the image at signal level 1.</summary>
    private void SampledAfterDdim(Func<NoiseLevel, NoiseLevel, NoiseLevel, TwoStepRule> rule)
    {
        const string Prefix = "sample_mid";
        TimestepGrid grid = Grid();
        NoiseLevel LevelOf(int level) => level == 0 ? NoiseLevel.VariancePreserving(1) : grid.Level(level);
        foreach (string name in _file.Tensors.Where(t => t.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using DisposeScope scope = NewDisposeScope();
            int last = int.Parse(name[Prefix.Length..], CultureInfo.InvariantCulture);
            InversionProblem problem = Problem(Prompts[0], Guided, grid);
            Tensor noise = Stored("start_noise");
            Tensor ddim = Sampled(problem, noise, DdimReplay.Instance, Prompts[1], Guided);
            Tensor above = last == 0 ? noise : ddim[last - 1];
            using TwoStepReplay replay = new(
                name,
                above.Snapshot(),
                [.. Enumerable.Range(2, Steps - last - 1).Select(k => rule(LevelOf(k - 2), LevelOf(k - 1), LevelOf(k)))],
                last + 1,
                Guided
            );
            Tensor sampled = Firsts(Sampled(problem, ddim[last], replay, Prompts[1], Guided));
            _file.Report(name, sampled.narrow(0, sampled.shape[0] - 1, 1));
        }
    }

    /// <summary>The first of each pair of states after the steps of one image: [2 steps, 1, 4, H, W] to [steps, 4, H, W].</summary>
    private static Tensor Firsts(Tensor pairs) => pairs.unflatten(0, [-1, 2]).select(1, 0).flatten(0, 1);

    /// <summary>Records the timesteps that the network receives.</summary>
    private sealed class Asked(INoisePredictor network) : INoisePredictor
    {
        public List<long> Timesteps { get; } = [];

        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
        {
            Timesteps.Add(step.Timestep);
            return network.Predict(latents, step, condition);
        }
    }
}
