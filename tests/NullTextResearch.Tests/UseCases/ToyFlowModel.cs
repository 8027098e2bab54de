using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Tensors;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using NullTextResearch.Text;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.UseCases;

/// <summary>
/// A model of another family, in fifty lines: a rectified flow whose latents are the means of 8 x 8 pixels, a table for a text encoder, a small U-Net for the
/// direction. Beside tokens it takes a pooled embedding and a distilled guidance scale.
/// </summary>
internal sealed class ToyFlowModel : IDiffusionModel
{
    private const int Factor = 8;
    private readonly EditingLab _lab = new();
    private readonly NoiseSchedule _schedule = NoiseSchedule.RectifiedFlow();

    public string Name => "toy flow";

    public Device Device => CPU;

    public SizeRule Sizes { get; } = new(Factor, 8 * Factor);

    public ITextTokenizer Tokenizer => EditingLab.Tokenizer;

    public string Fingerprint() => "toy-flow-1";

    public Conditioning Embed(params IReadOnlyList<string> prompts) => Embed([.. prompts.Select(p => Tokenizer.Tokenize(p).EnsureFits())]);

    public Conditioning Embed(IReadOnlyList<TokenizedPrompt> prompts)
    {
        Tensor tokens = _lab.Encode(prompts);
        return new Conditioning(tokens, Pooled: tokens.mean([1]), DistilledGuidance: 0.25);
    }

    public Tensor Encode(IReadOnlyList<RgbImage> images) =>
        Lifetime.Scoped(() =>
        {
            Tensor pixels = ImageTensor.ToPixels(images, CPU, _lab.Dtype);
            long[] shape = pixels.shape;
            Tensor colours = pixels.view(shape[0], 3, shape[2] / Factor, Factor, shape[3] / Factor, Factor).mean([3, 5]);
            return cat([colours, colours.mean([1], keepdim: true)], 1);
        });

    public RgbImage[] Decode(Tensor latents)
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        return ImageTensor.ToImages(latents.narrow(1, 0, 3).repeat_interleave(Factor, 2).repeat_interleave(Factor, 3).Clamped(-1, 1));
    }

    public INoisePredictor Predictor(INetworkHook? hook = null) =>
        new FlowPredictor(new FoldedConditions(_lab.Predictor(hook ?? FusedAttention.Instance)), _schedule);

    public TimestepGrid Grid(int steps) => new(_schedule, steps);

    public void Dispose() => _lab.Dispose();
}
