using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Eta()
    {
        TimestepGrid grid = Grid();
        InversionProblem problem = Problem(Prompts[0], Guided, grid);
        Tensor noise = Stored("noise");
        if (_file.Tensors.Contains("noise"))
            _file.Report("noise", noise);
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            double[] ends = [.. golden.GetProperty("eta").EnumerateArray().Select(e => e.GetDouble())];
            EtaOptions options = new()
            {
                CleanEta = ends[0],
                NoisyEta = ends[1],
                Draws = _file.Entry.GetProperty("noise_sample_count").GetInt32(),
            };
            List<EtaChoice> choices = [];
            using InversionResult inverted = new EtaInversion(options) { Noise = step => noise.select(0, step.Step), Observer = choices.Add }.Invert(
                problem,
                null,
                Cancellation
            );
            if (_file.Wants("ddim_latents"))
                Report("ddim_latents", Stacked(inverted.Pivot!));
            _file.Report(prefix + "eta", tensor(choices.Select(c => c.Eta).ToArray()));
            _file.Report(prefix + "picked", tensor(choices.Select(c => c.Picked[0]).ToArray()));
            _file.Report(prefix + "losses", tensor(choices.Select(c => c.Losses[0]).ToArray()));
            EditTarget target = new() { Prompt = Tokenized(Prompts[1]), Edit = new Refinement() };
            // No attention is replaced.
            Report(prefix + "latents", Edited(inverted, grid, [Prompts[0]], target, new MasaCtrlOptions { Steps = StepWindow.Never }));
        }
    }
}
