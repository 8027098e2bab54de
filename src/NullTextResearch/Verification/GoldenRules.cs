using System.Globalization;
using System.Text;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>Rules of the released code that no stored run tests, because none reaches the point where the rule decides.</summary>
internal static class GoldenRules
{
    /// <summary>Selects these checks where files are named.</summary>
    public const string Name = "rules";

    private const int Pairs = 3000;

    // FNV-1a of the released aligner's answers (prompt-to-prompt, seq_aligner.py: global_align and get_aligned_sequences with gap 0,
    // match 1, mismatch -1) to the pairs below: source positions joined by commas, pairs by semicolons.
    private const ulong ReleasedAlignments = 0x89fddee8ecf89e94;

    /// <summary>Checks every rule.</summary>
    /// <param name="selected">Whether the check with a given name is wanted.</param>
    /// <param name="emit">Receives each result.</param>
    public static void Run(Func<string, bool> selected, Action<VerificationResult> emit)
    {
        Check("refinement/ties", () => AlignmentHash() == ReleasedAlignments, $"alignments of {Pairs} random prompt pairs, against the released aligner's");
        Check("early_stop/threshold", StopsAtTheThreshold, "step i stops below 1e-5 + 2e-5 i, and not above it");

        void Check(string name, Func<bool> holds, string detail)
        {
            if (selected(name))
                emit(new VerificationResult(Name, name, holds() ? VerificationStatus.Pass : VerificationStatus.Fail, [], detail));
        }
    }

    /// <summary>Refinement of pairs of up to nine words each, drawn from six, so that words repeat and change places.</summary>
    private static ulong AlignmentHash()
    {
        string[] words = ["a", "b", "c", "d", "e", "f"];
        WordTableTokenizer tokenizer = new(
            words.ToDictionary(w => w, w => (IReadOnlyList<string>)[w]),
            words.Select((w, i) => (w, i)).ToDictionary(w => w.w, w => w.i + 1),
            startToken: 0,
            endToken: 7,
            padToken: 7,
            contextLength: 12
        );
        ulong stream = FormulaWeights.Hash("rules:refinement");
        long drawn = 0;
        int Draw(int count) => (int)((FormulaWeights.Uniform(stream, drawn++) + 1) / 2 * count);
        TokenizedPrompt Prompt() => tokenizer.Tokenize(string.Join(' ', Enumerable.Range(0, Draw(10)).Select(_ => words[Draw(words.Length)])));
        StringBuilder answers = new();
        for (int pair = 0; pair < Pairs; pair++)
        {
            TokenizedPrompt source = Prompt(),
                target = Prompt();
            if (pair > 0)
                answers.Append(';');
            answers.AppendJoin(
                ',',
                TokenAlignment.Refinement(source, target).Sources.Take(target.TokenCount + 2).Select(s => s.ToString(CultureInfo.InvariantCulture))
            );
        }
        return FormulaWeights.Hash(answers.ToString());
    }

    /// <summary>
    /// Null-text optimisation with a loss that no update changes: half an increment above the threshold at even steps, half an increment below it at odd ones.
    /// </summary>
    private static bool StopsAtTheThreshold()
    {
        const int Inner = 2;
        using DisposeScope scope = NewDisposeScope();
        TimestepGrid grid = new(NoiseSchedule.StableDiffusion, 10);
        Tensor still = zeros([1, 4, 2, 2], ScalarType.Float64),
            text = ones([1, 2, 2], ScalarType.Float64);
        // The prediction is practically zero, so the latents stay 0, and the loss of step i is the square of the pivot it aims at.
        IEnumerable<Tensor> aims = Enumerable.Range(0, grid.Steps).Select(i => still.Plus(Math.Sqrt((i % 2 == 0 ? 2 * i + 2 : 2 * i) * 1e-5)));
        using PivotTrajectory pivot = new(aims.Reverse().Append(still));
        InversionProblem problem = new()
        {
            Predictor = new Silence(),
            Grid = grid,
            Latents = still,
            Conditional = text,
            Unconditional = text,
        };
        using InversionResult result = new NullTextInversion(NullTextOptions.Default with { InnerSteps = Inner }).Invert(problem, pivot);
        return result.Optimisation[0].Select(s => s.Losses.Count).SequenceEqual(Enumerable.Range(0, grid.Steps).Select(i => i % 2 == 0 ? Inner : 1));
    }

    /// <summary>Predicts practically zero, but depends on the embedding, as an optimisation requires.</summary>
    private sealed class Silence : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            Lifetime.Scoped(() => condition.Tokens.mean([1, 2]).Times(1e-12).view(-1, 1, 1, 1).expand(latents.shape).clone());
    }
}
