using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void HEdit()
    {
        TimestepGrid grid = Grid();
        double[] scales = [.. _file.Entry.GetProperty("cfg_scales").EnumerateArray().Select(e => e.GetDouble())];
        int skip = (int)_file.Entry.GetProperty("skip_steps").GetDouble();
        Tensor noise = Stored("noise");
        if (_file.Tensors.Contains("noise"))
            _file.Report("noise", noise);
        InversionProblem problem = Problem(Prompts[0], scales[0], grid);
        EditFriendlyOptions random = new() { Skip = 0, GuidanceScale = scales[0] };
        using Walk walk = new EditFriendlyPath(random) { Noise = level => noise.select(0, level - 1) }.Climb(problem, null, Cancellation);
        Tensor noises = ((EditFriendlyReplay)walk.Replay).Noises;
        Report("inv_R.xts", Stacked(walk.Levels).flatten(0, 1));
        Report("inv_R.zs", noises.flip(0).flatten(0, 1));
        using PivotTrajectory pivot = DdimInversion.Trajectory(problem, null, null, Cancellation);
        Report("inv_D.xts", Stacked(pivot).flatten(0, 1));
        if (_file.Wants("inv_D.zs"))
            Report("inv_D.zs", DirectInversion.Offsets(problem, pivot, problem.Conditional, cancellation: Cancellation).flip(0).flatten(0, 1));
        EditTarget target = new()
        {
            Prompt = Tokenized(Prompts[1]),
            Edit = new WordSwap { Tail = TailRule.Published },
            CrossReplace = CrossReplaceSchedule.Until(_file.Entry.GetProperty("cross_replace_steps").GetDouble()),
            SelfReplace = StepWindow.Until(_file.Entry.GetProperty("self_replace_steps").GetDouble()),
        };
        foreach (JsonElement golden in Cases)
        {
            using DisposeScope scope = NewDisposeScope();
            HEditOptions options = new()
            {
                Implicit = golden.GetProperty("implicit").GetBoolean(),
                Rounds = (int)Number(golden, "optimization_steps", 1),
                ReconstructionWeight = Number(golden, "weight_reconstruction", 0),
                SourceGuidance = scales[0],
                RemovedGuidance = scales[1],
                // The middle of the interval that rounds down to that many steps.
                Skip = (skip + 0.5) / Steps,
                PromptToPrompt = golden.GetProperty("p2p").GetBoolean() ? new PromptToPromptOptions() : null,
                PublishedWindows = true,
                PublishedSourceRow = true,
            };
            using InversionResult inversion =
                golden.GetProperty("kind").GetString() == "R"
                    ? Inverted(
                        problem,
                        walk.Levels[Steps - skip],
                        new EditFriendlyReplay(noises.clone().DetachFromDisposeScope(), random.Eta, random.PublishedEta, skip, scales[0])
                    )
                    : Inverted(problem, pivot.Noisiest, DdimReplay.Instance, pivot);
            Report(Name(golden) + ".latents", Edited(inversion, grid, [Prompts[0]], target, options, scales[2]));
        }
    }
}
