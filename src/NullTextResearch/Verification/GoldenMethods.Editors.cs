using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Masactrl()
    {
        TimestepGrid grid = Grid();
        InversionProblem empty = Problem("", Guided, grid);
        using PivotTrajectory pivot = DdimInversion.Trajectory(empty, null, null, Cancellation);
        Report("ddim_latents", Stacked(pivot));
        foreach (string mask in (string[])["mask_s", "mask_t"])
        {
            if (_file.Tensors.Contains(mask))
                _file.Report(mask, _file.Read(mask));
        }
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            string name = Name(golden);
            string[] prompts = GoldenEditing.Texts(golden.GetProperty("prompts"));
            List<(Tensor Source, Tensor Target)> maps = [];
            MasaCtrlOptions options = new()
            {
                StepIndices = Indices("step_idx") ?? From("start_step", Steps),
                BlockIndices = Indices("layer_idx") ?? From("start_layer", Network.Sites.Count / 2),
                Masks =
                    golden.TryGetProperty("thres", out JsonElement threshold)
                        ? new MasaCtrlMasks
                        {
                            Threshold = threshold.GetDouble(),
                            SourceTokens = Indices("ref_token_idx")!,
                            TargetTokens = Indices("cur_token_idx")!,
                        }
                    : name.StartsWith("mask", StringComparison.Ordinal) ? new MasaCtrlMasks { Source = Stored("mask_s"), Target = Stored("mask_t") }
                    : null,
            };
            EditorOptions editor = new WithMaps(
                options,
                (s, t) => maps.Add((s.clone().MoveToOtherDisposeScope(scope), t.clone().MoveToOtherDisposeScope(scope)))
            );
            EditTarget target = new() { Prompt = Tokenized(prompts[1]), Edit = new Refinement() };
            IReplay replay = DdimReplay.Instance;
            if (name == "direct")
            {
                Tensor offsets = DirectInversion.Offsets(empty, pivot, Embed(prompts), cancellation: Cancellation);
                Report("direct.ddim_latents", Stacked(pivot));
                Report("direct.offsets", offsets);
                replay = new OffsetReplay(offsets.narrow(1, 0, 1).clone().DetachFromDisposeScope());
            }
            using InversionResult inversion = Inverted(empty, pivot.Noisiest, replay);
            Report(name + ".latents", Edited(inversion, grid, [prompts[0]], target, editor));
            if (maps.Count > 0)
            {
                _file.Report(name + ".first_source_map", maps[0].Source);
                _file.Report(name + ".first_target_map", maps[0].Target);
                _file.Report(name + ".last_source_map", maps[^1].Source);
                _file.Report(name + ".last_target_map", maps[^1].Target);
            }

            int[]? Indices(string member) => golden.TryGetProperty(member, out JsonElement list) ? [.. list.EnumerateArray().Select(i => i.GetInt32())] : null;

            int[] From(string member, int end)
            {
                int first = golden.GetProperty(member).GetInt32();
                return [.. Enumerable.Range(first, Math.Max(0, end - first))];
            }
        }
    }

    private void PlugAndPlay()
    {
        TimestepGrid grid = Grid();
        InversionProblem problem = Problem(Prompts[0], 1, grid);
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem, null, null, Cancellation);
        Report("ddim_latents", Stacked(pivot));
        // Clean end first, as stored; the reconstruction lacks its start.
        Tensor back = Sampled(problem, pivot.Noisiest, DdimReplay.Instance, Prompts[0], 1).flip(0);
        Report("rec_latents", back);
        Tensor negative = Embed(_file.Entry.GetProperty("negative_prompt").GetString()!);
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor sources = golden.GetProperty("source_latents").GetString() == "rec_latents" ? back : Stacked(pivot);
            long count = sources.shape[0];
            PlugAndPlayOptions options = new()
            {
                Features = golden.GetProperty("pnp_f_t").GetDouble(),
                Attention = golden.GetProperty("pnp_attn_t").GetDouble(),
            };
            using InversionResult inversion = Inverted(problem, sources.select(0, count - 1), DdimReplay.Instance, pivot);
            EditTarget target = new() { Prompt = Tokenized(Prompts[1]), Edit = new Refinement() };
            EditorOptions editor = new FromStored(options, step => sources.select(0, count - 1 - step.Step), negative);
            Report(Name(golden) + ".latents", Edited(inversion, grid, [Prompts[0]], target, editor).narrow(1, 1, 1));
        }
    }

    private sealed record WithMaps(MasaCtrlOptions Options, Action<Tensor, Tensor> Seen) : EditorOptions
    {
        public override string Id => Options.Id;

        public override IEditDirector Direct(EditProblem problem) => new MasaCtrl(Options, problem) { MapObserver = (_, s, t) => Seen(s, t) };
    }

    private sealed record FromStored(PlugAndPlayOptions Options, Func<DiffusionStep, Tensor> Source, Tensor Negative) : EditorOptions
    {
        public override string Id => Options.Id;

        public override IEditDirector Direct(EditProblem problem) => new PlugAndPlay(Options, problem) { SourceLatents = Source, Negative = Negative };
    }
}
