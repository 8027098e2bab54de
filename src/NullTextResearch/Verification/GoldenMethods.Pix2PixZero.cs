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
    private void Pix2PixZero()
    {
        TimestepGrid grid = Grid();
        JsonElement regularisation = _file.Entry.GetProperty("regularisation");
        long[] rolls = Stored("rolls").to(ScalarType.Int64).data<long>().ToArray();
        Pix2PixZeroPathOptions options = new()
        {
            AutoCorrelation = regularisation.GetProperty("lambda_ac").GetDouble(),
            Divergence = regularisation.GetProperty("lambda_kl").GetDouble(),
            Rounds = regularisation.GetProperty("num_reg_steps").GetInt32(),
            Rolls = regularisation.GetProperty("num_ac_rolls").GetInt32(),
            PublishedLevels = true,
            PublishedShifts = true,
            PublishedScale = true,
        };
        InversionProblem problem = Problem(Prompts[0], Guided, grid);
        using Walk walk = new Pix2PixZeroPath(options) { Shift = number => (int)rolls[number] }.Climb(problem, null, Cancellation);
        Report("inv_latents", Stacked(walk.Levels).flatten(0, 1));
        Tensor direction = Stored("edit_dir");
        foreach (JsonElement amount in _file.Entry.GetProperty("guidance_amounts").EnumerateArray())
        {
            string prefix = "amount" + amount.GetRawText().Replace(".", "", StringComparison.Ordinal) + ".";
            foreach (bool isDirect in (bool[])[false, true])
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor own = Embed(Prompts[0]);
                Tensor? offsets = isDirect ? DirectInversion.Offsets(problem, walk.Levels, own, cancellation: Cancellation) : null;
                IReplay replay = offsets is null ? DdimReplay.Instance : new SharedOffsets(offsets.Snapshot());
                using InversionResult inversion = Inverted(problem, walk.Levels.Noisiest, replay, walk.Levels);
                EditTarget target = new() { Prompt = Tokenized(Prompts[1]), Edit = new Refinement() };
                Pix2PixZeroOptions editor = new() { Amount = amount.GetDouble(), PublishedHalves = true };
                Tensor edited = Edited(inversion, grid, [Prompts[0]], target, editor, targetEmbedding: own.Plus(direction));
                // The stored values are those before a step's offset is added.
                if (offsets is not null)
                    edited = edited.sub(offsets);
                string name = (isDirect ? "direct_" : "") + prefix;
                Report(name + "reference_steps", edited.select(1, 0));
                Report(name + "edit_steps", edited.select(1, 1));
            }
        }
    }

    /// <summary>The offsets that return the source to its inversion trajectory, also added to edited rows.</summary>
    /// <param name="offsets">[T, 1, 4, H, W]; this object takes ownership.</param>
    private sealed class SharedOffsets(Tensor offsets) : IReplay
    {
        public ReplayData Data => throw new NotSupportedException("This replay cannot be saved.");

        public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows) =>
            new(Lifetime.Scoped(() => Ddim.Move(state.Latents, noise(state.Latents), step.Noisy, step.Clean).Plus(offsets.select(0, step.Step))));

        public void Dispose() => offsets.Dispose();
    }
}
