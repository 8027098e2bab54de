using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Diffedit()
    {
        TimestepGrid grid = Grid();
        InversionProblem problem = Problem(Prompts[0], 1, grid);
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem, null, null, Cancellation);
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string prefix = Name(golden) + ".";
            double guidance = golden.GetProperty("guidance_scale").GetDouble();
            DiffEditOptions options = new()
            {
                Strength = golden.GetProperty("inpaint_strength").GetDouble(),
                MaskStrength = golden.GetProperty("mask_encode_strength").GetDouble(),
                Maps = _file.Entry.GetProperty("num_maps_per_mask").GetInt32(),
                ClipRatio = golden.GetProperty("mask_thresholding_ratio").GetDouble(),
                PublishedBackground = true,
                PublishedScale = true,
            };
            Tensor? map = null,
                mask = null;
            EditorOptions editor = new WithMask(
                options,
                Stored("noise"),
                (m, chosen) =>
                {
                    map = m.select(0, 1).clone().MoveToOtherDisposeScope(scope);
                    mask = chosen.select(0, 1).clone().MoveToOtherDisposeScope(scope);
                }
            );
            using InversionResult inversion = Inverted(problem, pivot.Noisiest, DdimReplay.Instance, pivot);
            EditTarget target = new() { Prompt = Tokenized(Prompts[1]), Edit = new Refinement() };
            Tensor edited = Edited(inversion, grid, [Prompts[0]], target, editor, guidance);
            // The original swaps its two embeddings before it applies guidance: a constant factor that does not affect the mask.
            _file.Report(prefix + "guidance_map", map!.Times(Math.Abs(1 - guidance)));
            _file.Report(prefix + "mask", mask!.to(_file.Tensors.Contains(prefix + "mask") ? _file.Dtype(prefix + "mask") : ScalarType.Int64));
            Report(prefix + "image_latents", cat([.. Enumerable.Range(0, (int)edited.shape[0]).Select(i => pivot[(int)edited.shape[0] - i])], 0));
            Report(prefix + "latents", edited.narrow(1, 1, 1));
        }
    }

    private sealed record WithMask(DiffEditOptions Options, Tensor Noise, Action<Tensor, Tensor> Seen) : EditorOptions
    {
        public override string Id => Options.Id;

        public override IEditDirector Direct(EditProblem problem) => new DiffEdit(Options, problem) { Noise = Noise, MaskObserver = Seen };
    }
}
