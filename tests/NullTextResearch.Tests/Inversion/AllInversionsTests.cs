using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

/// <summary>What every inversion must obey.</summary>
[LeavesNoTensors]
public class AllInversionsTests
{
    public static TheoryData<string> Every => [.. AllInversions.Names];

    // What these do with an embedding is not linear in it.
    public static TheoryData<string> Linear => [.. AllInversions.Names.Except(["negative-prompt interpolated", "textual, from noise, prompt's path"])];

    public static TheoryData<string> Optimising => [.. AllInversions.Optimising];

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_OfABatch_EqualsOneByOne(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem batch = predictor.Problem(images: 3);
        using InversionResult together = AllInversions.Make(name, batch).Invert(batch);
        Tensor reconstructed = AllInversions.Reconstruct(batch, together);
        double evaluations = 0;
        for (int i = 0; i < 3; i++)
        {
            InversionProblem single = predictor.Problem(images: 1, first: i);
            using InversionResult alone = AllInversions.Make(name, single).Invert(single);
            TensorAssert.Close(alone.StartLatents, together.StartLatents.narrow(0, i, 1), 1e-9);
            TensorAssert.Close(AllInversions.Reconstruct(single, alone), reconstructed.narrow(0, i, 1), 1e-6);
            evaluations += alone.EvaluationsPerImage / 3;
            if (alone.Optimisation.Count == 0)
                continue;
            Assert.Equal(alone.Optimisation[0].Select(s => s.Losses.Count), together.Optimisation[i].Select(s => s.Losses.Count));
            Assert.Equal(alone.Optimisation[0].Select(s => s.Stop), together.Optimisation[i].Select(s => s.Stop));
        }
        Assert.Equal(evaluations, together.EvaluationsPerImage, 9);
    }

    /// <summary>Whatever a network takes beside tokens reaches it at every step, stays with its image, and is stored with the result.</summary>
    [Theory]
    [MemberData(nameof(Linear))]
    public void Invert_ConditionInParts_EqualsTheirSum(string name)
    {
        // A line search begins with a share of the norm of the tokens alone, and the fast preset with the prompt's.
        Assert.SkipWhen(
            name.EndsWith("line search", StringComparison.Ordinal) || name.EndsWith("fast", StringComparison.Ordinal),
            "Its first trial depends on how a condition is split."
        );
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem whole = predictor.Problem(images: 2),
            split =
                whole with
                {
                    Predictor = new FoldedConditions(predictor),
                    Conditional = FoldedConditions.Split(whole.Conditional.Tokens),
                    Unconditional = FoldedConditions.Split(whole.Unconditional.Tokens),
                };
        using InversionResult expected = AllInversions.Make(name, whole).Invert(whole),
            result = AllInversions.Make(name, split).Invert(split);
        TensorAssert.Close(expected.StartLatents, result.StartLatents, 1e-9);
        TensorAssert.Close(AllInversions.Reconstruct(whole, expected), AllInversions.Reconstruct(split, result), 1e-6);
        foreach (StepEmbeddings embeddings in (StepEmbeddings[])[result.Conditional, result.Unconditional])
        {
            Assert.NotNull(embeddings.Stored.Pooled);
            using StepEmbeddings one = embeddings.Image(0);
            Assert.NotNull(one.Stored.Extra);
            Assert.NotNull(embeddings.At(1).DistilledGuidance);
        }
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_Counts_EqualWhatThePredictorSaw(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        Differentiated differentiated = new(predictor);
        InversionProblem problem = predictor.Problem(images: 2) with { Predictor = differentiated };
        using InversionResult result = AllInversions.Make(name, problem).Invert(problem);
        Assert.Equal(predictor.Calls.Sum() / 2.0, result.EvaluationsPerImage);
        Assert.Equal(differentiated.Rows / 2.0, result.BackwardsPerImage);
        // A path may have gradients of its own. Line searches also log the loss with which a step begins.
        int first = name.EndsWith("line search", StringComparison.Ordinal) || name.EndsWith("fast", StringComparison.Ordinal) ? 1 : 0;
        double updates = result.Optimisation.Sum(image => image.Sum(step => step.Losses.Count - first)) / 2.0;
        Assert.InRange(updates, 0, result.BackwardsPerImage);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_Twice_GivesTheSame(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        IInversion inversion = AllInversions.Make(name, problem);
        using InversionResult first = inversion.Invert(problem);
        using InversionResult second = inversion.Invert(problem);
        Tensor reconstructed = AllInversions.Reconstruct(problem, first);
        TensorAssert.Close(reconstructed, AllInversions.Reconstruct(problem, second), 0);
        if (first.Reconstruction is { } promised)
            TensorAssert.Close(promised, reconstructed, 1e-12);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_LeavesItsInputsAlone(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        Tensor latents = problem.Latents.clone(),
            conditional = problem.Conditional.Tokens.clone(),
            unconditional = problem.Unconditional.Tokens.clone();
        using InversionResult result = AllInversions.Make(name, problem).Invert(problem);
        TensorAssert.Close(latents, problem.Latents, 0);
        TensorAssert.Close(conditional, problem.Conditional.Tokens, 0);
        TensorAssert.Close(unconditional, problem.Unconditional.Tokens, 0);
        Assert.False(problem.Unconditional.Tokens.requires_grad);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_ThenDispose_LeavesNoTensors(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 3);
        IInversion inversion = AllInversions.Make(name, problem);
        long before = TensorAssert.Live;
        using (DisposeScope inner = NewDisposeScope())
            inversion.Invert(problem).Dispose();
        Assert.Equal(before, TensorAssert.Live);
        inversion.Invert(problem).Dispose();
        Assert.Equal(before, TensorAssert.Live);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_CancelledAnywhere_ThrowsAndLeavesNoTensors(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        (ToyPredictor predictor, InversionProblem problem, IInversion inversion) = RunOnce(name);
        int calls = predictor.Calls.Count;
        long before = TensorAssert.Live;
        // Not after the last call: what is finished may be returned.
        for (int stop = 1; stop < calls - 1; stop += 7)
        {
            using CancellationTokenSource source = new();
            int left = stop;
            predictor.BeforePrediction = () =>
            {
                if (--left == 0)
                    source.Cancel();
            };
            predictor.Calls.Clear();
            Assert.ThrowsAny<OperationCanceledException>(() => inversion.Invert(problem, null, source.Token));
            Assert.True(predictor.Calls.Count <= stop + 2, $"Cancelled at call {stop}, but {predictor.Calls.Count} calls were made.");
            Assert.Equal(before, TensorAssert.Live);
        }
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_PredictorThrows_LeavesNoTensors(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        (ToyPredictor predictor, InversionProblem problem, IInversion inversion) = RunOnce(name);
        int calls = predictor.Calls.Count;
        long before = TensorAssert.Live;
        int left = calls - 1;
        predictor.BeforePrediction = () =>
        {
            if (--left == 0)
                throw new InvalidOperationException("out of luck");
        };
        Assert.Throws<InvalidOperationException>(() => inversion.Invert(problem));
        Assert.Equal(before, TensorAssert.Live);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_MemoryOverManySteps_IsFlat(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2, steps: 25);
        IInversion inversion = AllInversions.Make(name, problem);
        List<long> live = [];
        using InversionResult result = inversion.Invert(problem, new Direct(_ => live.Add(TensorAssert.Live)));
        // One latent and one embedding per step are what the result is made of; nothing else may pile up.
        Assert.True(live[^1] - live[0] <= 2 * 25 + 30, $"Live tensors rose from {live[0]} to {live[^1]}.");
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_Progress_EndsAtTheEnd(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        List<InversionProgress> reports = [];
        using InversionResult result = AllInversions.Make(name, problem).Invert(problem, new Direct(reports.Add));
        Assert.NotEmpty(reports);
        Assert.Equal(reports[^1].Of, reports[^1].Step);
        Assert.All(reports, r => Assert.InRange(r.Step, 0, r.Of));
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_WrongShapes_SaysWhich(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        IInversion inversion = AllInversions.Make(name, problem);
        ShapeMismatchException error = Assert.Throws<ShapeMismatchException>(() =>
            inversion.Invert(problem with { Conditional = problem.Conditional.Tokens.narrow(0, 0, 1) })
        );
        Assert.Contains("onditional", error.Message);
        error = Assert.Throws<ShapeMismatchException>(() => inversion.Invert(problem with { Unconditional = problem.Unconditional.Tokens.narrow(1, 0, 3) }));
        Assert.Contains("Unconditional", error.Message);
        ArgumentException half = Assert.ThrowsAny<ArgumentException>(() => inversion.Invert(problem with { Latents = problem.Latents.to(ScalarType.Float16) }));
        Assert.Contains("Float16", half.Message);
    }

    [Theory]
    [MemberData(nameof(Optimising))]
    public void Invert_LossNotANumber_SaysWhere(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        // The second image alone goes wrong.
        Tensor latents = problem.Latents.clone();
        // Its predictions stay finite, its losses do not.
        latents[1].Fill(1e200);
        problem = problem with { Latents = latents };
        IInversion inversion = AllInversions.Make(name, problem);
        long before = TensorAssert.Live;
        NotFiniteException error = Assert.ThrowsAny<NotFiniteException>(() => inversion.Invert(problem));
        Assert.Equal(1, error.Image);
        Assert.Contains($"step {error.Step} (timestep {error.Timestep})", error.Message);
        // Two paths square latents on their way, so there the prediction is the first that is not finite.
        if (name is "null-text on renoise" or "null-text on gnri")
            Assert.IsType<NotFiniteException>(error);
        else
            Assert.False(double.IsFinite(Assert.IsType<InversionDivergedException>(error).RecentLosses[^1]));
        Assert.Equal(before, TensorAssert.Live);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Invert_PredictionNotANumber_SaysWhichImageAndStep_AndLeavesNoTensors(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        (ToyPredictor predictor, InversionProblem problem, IInversion inversion) = RunOnce(name);
        // A method may call the network for one image alone.
        int all = 0;
        inversion.Invert(problem with { Predictor = new SpoilingPredictor(predictor, () => ++all < 0, image: 1) }).Dispose();
        foreach (int bad in (int[])[1, (all + 1) / 2, all])
        {
            int calls = 0;
            InversionProblem spoilt = problem with { Predictor = new SpoilingPredictor(predictor, () => ++calls == bad, image: 1) };
            long before = TensorAssert.Live;
            NotFiniteException error = Assert.Throws<NotFiniteException>(() => inversion.Invert(spoilt).Dispose());
            Assert.Equal(1, error.Image);
            Assert.Equal(bad, calls);
            Assert.Contains($"step {error.Step} (timestep {error.Timestep})", error.Message);
            Assert.Equal(before, TensorAssert.Live);
        }
    }

    [Theory]
    [MemberData(nameof(Optimising))]
    public void Invert_PredictorIgnoresGradients_IsRefusedNotFatal(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        problem = problem with { Predictor = new Deaf(problem.Predictor) };
        IInversion inversion = AllInversions.Make(name, problem);
        Assert.Contains("no_grad", Assert.Throws<InvalidOperationException>(() => inversion.Invert(problem)).Message);
    }

    /// <summary>An inversion that has run once, so that what it makes for good is made; the predictor has counted its calls.</summary>
    private static (ToyPredictor Predictor, InversionProblem Problem, IInversion Inversion) RunOnce(string name)
    {
        ToyPredictor predictor = new();
        InversionProblem problem = predictor.Problem(images: 2);
        IInversion inversion = AllInversions.Make(name, problem);
        inversion.Invert(problem).Dispose();
        return (predictor, problem, inversion);
    }

    private sealed class Deaf(INoisePredictor inner) : INoisePredictor
    {
        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
            Lifetime.WithoutGradient(() => inner.Predict(latents, step, condition));
    }

    private sealed class Differentiated(INoisePredictor inner) : INoisePredictor
    {
        public long Rows { get; private set; }

        public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) => inner.Predict(latents, step, condition);

        public PredictionGradient Differentiate(
            Tensor latents,
            DiffusionStep step,
            Conditioning condition,
            Func<Tensor, Tensor> loss,
            GradientOf of = GradientOf.Tokens
        )
        {
            Rows += latents.shape[0];
            return inner.Differentiate(latents, step, condition, loss, of);
        }
    }

    internal sealed class Direct(Action<InversionProgress> report) : IProgress<InversionProgress>
    {
        public void Report(InversionProgress value) => report(value);
    }
}
