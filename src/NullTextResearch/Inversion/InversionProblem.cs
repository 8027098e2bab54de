using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>The input of every inversion. All tensors are borrowed.</summary>
public sealed record InversionProblem
{
    /// <summary>Noise predictor.</summary>
    public required INoisePredictor Predictor { get; init; }

    /// <summary>Steps.</summary>
    public required TimestepGrid Grid { get; init; }

    /// <summary>z_0 of the images, [B, 4, H, W].</summary>
    public required Tensor Latents { get; init; }

    /// <summary>The prompts: tokens [B, tokens, d], and whatever else the network takes.</summary>
    public required Conditioning Conditional { get; init; }

    /// <summary>The empty prompt: tokens [1, tokens, d], and whatever else the network takes.</summary>
    public required Conditioning Unconditional { get; init; }

    /// <summary>w of the sampling that the inversion prepares (not of the inversion itself).</summary>
    public double GuidanceScale { get; init; } = 7.5;

    /// <summary>
    /// One number per image for methods that draw noise: an image keeps its noise in any batch if it keeps its key.
    /// Null means 0..B-1.
    /// </summary>
    public IReadOnlyList<long>? ImageKeys { get; init; }

    /// <summary>Number of images, B.</summary>
    public int Images => (int)Latents.shape[0];

    /// <summary>Checks shapes, precision and device of the tensors against each other.</summary>
    /// <exception cref="ShapeMismatchException">A shape is wrong.</exception>
    /// <exception cref="ArgumentException">Tensors differ in precision or device, or the precision is below float32.</exception>
    public void Validate()
    {
        Shape.Require(Latents, [-1, -1, -1, -1]);
        long batch = Latents.shape[0];
        Shape.Require(Conditional.Tokens, [batch, -1, -1]);
        Shape.Require(Unconditional.Tokens, [1, Conditional.Tokens.shape[1], Conditional.Tokens.shape[2]]);
        using (NewDisposeScope())
            Conditioning.RequireSame(UnconditionalRows(), Conditional);
        if (batch == 0)
            throw new ArgumentException("There is no image: Latents has no rows.");
        if (Latents.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException(
                $"Latents are {Latents.dtype}; inversion needs Float32 or Float64. Only the network may use lower precision: convert inside the predictor."
            );
        foreach ((string name, Tensor tensor) in Named(nameof(Conditional), Conditional).Concat(Named(nameof(Unconditional), Unconditional)))
        {
            if (tensor.dtype != Latents.dtype)
                throw new ArgumentException($"{name} is {tensor.dtype} but Latents are {Latents.dtype}; convert one of them.");
            if (tensor.device.type != Latents.device.type)
                throw new ArgumentException($"{name} is on {tensor.device} but Latents are on {Latents.device}; move one of them.");
        }
        if (ImageKeys is { } keys && keys.Count != batch)
            throw new ArgumentException($"ImageKeys has {keys.Count} numbers for {batch} images; give one per image, or null.");
        if (!double.IsFinite(GuidanceScale))
            throw new ArgumentException(FormattableString.Invariant($"The guidance scale is {GuidanceScale}; it must be finite."));
    }

    internal long KeyOf(int image) => ImageKeys is { } keys ? keys[image] : image;

    /// <summary>The empty prompt for every image.</summary>
    internal Conditioning UnconditionalRows() => Unconditional.Expand(Conditional.Count);

    private static IEnumerable<(string Name, Tensor Value)> Named(string name, Conditioning condition) =>
        condition.Tensors.Select(t => (t.Name == nameof(Conditioning.Tokens) ? name : $"{name}.{t.Name}", t.Value));
}
