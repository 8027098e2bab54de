using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace NullTextResearch.TestKit;

/// <summary>
/// A differentiable noise predictor of a few operations: it depends on latents, timestep and embedding, is smooth, and treats
/// every row alone. Latents are [B, 4, 2, 2], embeddings [B, 5, 4].
/// </summary>
public sealed class ToyPredictor : INoisePredictor
{
    private const int Pixels = 16;
    private const int Text = 20;

    /// <summary>Runs before each prediction; tests cancel or fail there.</summary>
    public Action? BeforePrediction { get; set; }

    /// <summary>Rows of each call so far.</summary>
    public List<long> Calls { get; } = [];

    /// <summary>Timestep of each call so far.</summary>
    public List<int> Timesteps { get; } = [];

    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        BeforePrediction?.Invoke();
        Calls.Add(latents.shape[0]);
        Timesteps.Add(step.Timestep);
        using DisposeScope scope = NewDisposeScope();
        Tensor weights = Wave(Pixels * Text, 0.37, latents).reshape(Pixels, Text);
        // It has no keys: what the words say is all in the values.
        Tensor text = F.linear((condition.ValueTokens ?? condition.Tokens).flatten(1), weights).Times(0.5).tanh().reshape(latents.shape);
        Tensor noise = latents.Times(0.8).tanh().Times(0.9).Plus(text.Times(0.3 + step.Timestep / 3000.0)).Plus(text.mul(latents).Times(0.15));
        return noise.MoveToOuterDisposeScope();
    }

    /// <summary>A problem with these images, rows 0.. of an endless series, so that parts of a batch can be made alone.</summary>
    public InversionProblem Problem(int images = 1, int first = 0, int steps = 10, double guidanceScale = 7.5) =>
        new()
        {
            Predictor = this,
            Grid = new TimestepGrid(NoiseSchedule.StableDiffusion, steps),
            Latents = cat([.. Enumerable.Range(first, images).Select(i => Wave(Pixels, 0.9 + 0.31 * i, null).Times(0.8 + 0.25 * i).reshape(1, 4, 2, 2))], 0),
            Conditional = cat([.. Enumerable.Range(first, images).Select(i => Wave(Text, 1.7 + 0.17 * i, null).reshape(1, 5, 4))], 0),
            Unconditional = Wave(Text, 2.6, null).Times(0.7).reshape(1, 5, 4),
            GuidanceScale = guidanceScale,
            ImageKeys = [.. Enumerable.Range(first, images).Select(i => (long)i)],
        };

    private static Tensor Wave(int count, double frequency, Tensor? like) =>
        ScalarArithmetic.Range(count, ScalarType.Float64, like?.device ?? CPU).Plus(1).Times(frequency).sin();
}
