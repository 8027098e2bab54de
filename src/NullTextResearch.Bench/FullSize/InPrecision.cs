using NullTextResearch.Diffusion;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>The network in one precision, everything around it in float32.</summary>
internal sealed class InPrecision(INoisePredictor inner, ScalarType dtype) : INoisePredictor
{
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition)
    {
        using DisposeScope scope = NewDisposeScope();
        return inner.Predict(latents.to(dtype), step, condition with { Tokens = condition.Tokens.to(dtype) }).to(latents.dtype).MoveToOuterDisposeScope();
    }
}
