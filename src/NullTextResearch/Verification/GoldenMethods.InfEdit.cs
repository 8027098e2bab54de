using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Infedit()
    {
        TimestepGrid grid = Grid();
        Tensor noise = Stored("noise").flatten(0, 1);
        using PivotTrajectory images = new([Clean]);
        InversionProblem problem = Problem(Prompts[0], 1, grid);
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            InfEditOptions options = new()
            {
                Strength = golden.GetProperty("strength").GetDouble(),
                SourceGuidance = golden.GetProperty("source_guidance").GetDouble(),
                Eta = golden.GetProperty("eta").GetDouble(),
                StartsFromImage = golden.GetProperty("denoise_model").GetBoolean(),
                PublishedEta = true,
            };
            List<Tensor> noisy = [];
            EditorOptions editor = new WithNoise(options, noise, latents => noisy.Add(latents.clone().MoveToOtherDisposeScope(scope)));
            using InversionResult inversion = Inverted(problem, Clean, DdimReplay.Instance, images);
            EditTarget target = new() { Prompt = Tokenized(Prompts[1]), Edit = new Refinement() };
            Tensor edited = Edited(inversion, grid, [Prompts[0]], target, editor, golden.GetProperty("guidance").GetDouble());
            // The original's third row follows the source prompt; without attention control it equals the source row.
            Tensor rows = stack(noisy);
            Report(prefix + "latents", cat([rows, rows.narrow(1, 0, 1)], 1));
            _file.Report(prefix + "edited", edited.select(0, edited.shape[0] - 1).narrow(0, 1, 1));
            _file.Report(prefix + "draws_used", tensor((long[])[noisy.Count + 1]));
        }
    }

    private sealed record WithNoise(InfEditOptions Options, Tensor Noise, Action<Tensor> Seen) : EditorOptions
    {
        public override string Id => Options.Id;

        public override IEditDirector Direct(EditProblem problem) => new InfEdit(Options, problem) { Noise = Noise, Observer = (_, latents) => Seen(latents) };
    }
}
