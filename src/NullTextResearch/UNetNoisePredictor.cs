using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Layers;
using NullTextResearch.SelfTest;
using NullTextResearch.Tensors;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch;

/// <summary>
/// The U-Net behind the predictor interface that all algorithms use; it returns the network's own prediction. A network with 16-bit weights computes in 16
/// bits, while its latents and predictions have the caller's precision; any other computes in the precision of the latents.
/// </summary>
/// <remarks>Use each from one thread at a time; several may share a network, each in its own thread.</remarks>
/// <param name="unet">Network; borrowed.</param>
/// <param name="hook">Hook inside the network; null means fused attention.</param>
/// <param name="memory">Memory-saving options; null for the defaults.</param>
public sealed class UNetNoisePredictor(UNet2DConditionModel unet, INetworkHook? hook = null, MemoryOptions? memory = null) : INoisePredictor
{
    private readonly MemoryOptions _memory = memory ?? new MemoryOptions();
    private const string Network = "The U-Net of Stable Diffusion 1.x and 2.x";
    private readonly GradientScale _scale = new();

    private bool IsFused => hook is null or FusedAttention;

    /// <inheritdoc/>
    /// <exception cref="PrecisionException">The network left the range of its 16-bit numbers.</exception>
    /// <exception cref="WrongArithmeticException">This machine computes wrongly in the network's 16-bit type.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public Tensor Predict(Tensor latents, DiffusionStep step, Conditioning condition) =>
        Lifetime.Scoped(() =>
        {
            using UseGate.Lease use = unet.Weights.Use();
            ScalarType dtype = ComputeDtype(latents);
            // In float32, predictions are correct wherever gradients are; in 16 bits a prediction alone may be wrong.
            if (Precision.IsHalf(dtype))
                ArithmeticSelfTest.Require(dtype, latents.device);
            Tensor timesteps = TimestepsOf(step, latents);
            Tensor z = latents.to(dtype);
            condition.RequireTokensAlone(Network);
            Conditioning cast = condition.Map((_, value) => value.to(dtype));
            // Parts are cut by the condition's rows: latents beyond them would be lost in silence.
            Shape.Require(cast.Tokens, [z.shape[0], -1, -1]);
            Tensor prediction = cat(
                [
                    .. Parts(cast)
                        .Select(part =>
                            unet.Forward(
                                z.narrow(0, part.First, part.Count),
                                timesteps,
                                cast.Narrow(part.First, part.Count),
                                part.IsFused ? FusedAttention.Instance : hook,
                                step.Step
                            )
                        ),
                ],
                0
            );
            RequireFinite(prediction, dtype, step);
            return prediction.to(latents.dtype);
        });

    /// <inheritdoc/>
    /// <remarks>
    /// With <see cref="MemoryOptions.Checkpointing"/> the network runs in segments, unless a hook is installed, which would see everything twice, or another
    /// gradient than that of the tokens is requested. On a CPU, a float16 network always runs in segments: its gradients would otherwise keep a float32 copy of
    /// every weight.
    /// </remarks>
    /// <exception cref="WrongArithmeticException">This machine computes gradients wrongly in this precision.</exception>
    /// <exception cref="PrecisionException">The network, or its gradient at any scale, left the range of its 16-bit numbers.</exception>
    /// <exception cref="ObjectDisposedException">The network was disposed.</exception>
    public PredictionGradient Differentiate(
        Tensor latents,
        DiffusionStep step,
        Conditioning condition,
        Func<Tensor, Tensor> loss,
        GradientOf of = GradientOf.Tokens
    )
    {
        using UseGate.Lease use = unet.Weights.Use();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        ScalarType dtype = ComputeDtype(latents);
        ArithmeticSelfTest.Require(dtype, latents.device);
        Tensor timesteps = TimestepsOf(step, latents);
        // A recorded graph would keep a float32 copy of every weight where float16 products are emulated in float32.
        Tensor z = latents.detach().to(dtype);
        condition.RequireTokensAlone(Network);
        Conditioning cast = condition.Map((_, value) => value.detach().to(dtype));
        IReadOnlyList<(GradientOf Of, Tensor Value)> inputs = PredictionGradient.Inputs(cast, z, of);
        (Tensor output, Func<Tensor, Tensor[]> pullBack) =
            IsFused && of == GradientOf.Tokens && cast.ValueTokens is null && (_memory.Checkpointing || Products.AreWidened(dtype, latents.device))
                ? InSegments(z, timesteps, step, cast.Tokens)
                : Recorded(z, timesteps, step, cast, [.. inputs.Select(i => i.Value)]);
        RequireFinite(output, dtype, step);

        // The graph is cut at the prediction: the loss is computed in the caller's precision, and its gradient can be scaled before it enters the network.
        Tensor prediction = output.detach().to(latents.dtype).requires_grad_(true);
        Tensor losses = loss(prediction);
        Shape.Require(losses, [latents.shape[0]]);
        Tensor upstream = PredictionGradient.Of(losses.sum(), [prediction])[0];
        using IDisposable done = no_grad();
        (Tensor[] gradients, int backOffs) =
            dtype == ScalarType.Float16
                ? _scale.PullBack(upstream, pullBack, () => $"The gradient of the network's input at timestep {step.Timestep} is, at every scale,")
                : (pullBack(upstream.to(dtype)), 0);
        Tensor[] wide = [.. gradients.Select((g, i) => g.to(inputs[i].Of == GradientOf.Latents ? latents.dtype : condition.Tokens.dtype))];
        return new PredictionGradient(losses.detach(), null, null, prediction.detach(), backOffs).With(inputs, wide).MoveToOuterDisposeScope();
    }

    private static Tensor TimestepsOf(DiffusionStep step, Tensor latents) => tensor((long[])[step.Timestep], device: latents.device);

    private static void RequireFinite(Tensor prediction, ScalarType dtype, DiffusionStep step) =>
        PrecisionException.ThrowUnlessFinite(prediction, dtype, () => $"The U-Net's prediction at timestep {step.Timestep} is");

    private ScalarType ComputeDtype(Tensor latents) => Precision.IsHalf(unet.Dtype) ? unet.Dtype : latents.dtype;

    private (Tensor Output, Func<Tensor, Tensor[]> PullBack) Recorded(
        Tensor latents,
        Tensor timesteps,
        DiffusionStep step,
        Conditioning condition,
        Tensor[] leaves
    )
    {
        foreach (Tensor leaf in leaves)
            leaf.requires_grad_(true);
        Tensor output = unet.Forward(latents, timesteps, condition, hook, step.Step);
        // A graph that may be traversed again (with another scale) is kept.
        return (output, gradient => PredictionGradient.Of(output, leaves, gradient, keepGraph: output.dtype == ScalarType.Float16));
    }

    private (Tensor Output, Func<Tensor, Tensor[]> PullBack) InSegments(Tensor latents, Tensor timesteps, DiffusionStep step, Tensor embedding)
    {
        long rows = latents.shape[0],
            together = _memory.Sequential ? 1 : rows;
        List<SegmentTape> tapes = [];
        for (long first = 0; first < rows; first += together)
            tapes.Add(unet.Record(latents.narrow(0, first, together), timesteps, embedding.narrow(0, first, together), step.Step));
        return (
            cat([.. tapes.Select(t => t.Prediction)], 0),
            gradient => [cat([.. tapes.Select((tape, i) => tape.PullBack(gradient.narrow(0, i * together, together)))], 0)]
        );
    }

    /// <summary>How a batch is split into calls of the network.</summary>
    private IEnumerable<RowRange> Parts(Conditioning condition)
    {
        int batch = (int)condition.Count;
        if (!_memory.Sequential || batch == 1)
            return [new RowRange(0, batch, false)];
        if (IsFused)
            return Singles(batch);
        BatchLayout rows = condition.Layout();
        return !hook!.TouchesUnconditional && rows.IsHalved && rows.FirstConditional > 0
            ? Singles(rows.FirstConditional).Append(new RowRange(rows.FirstConditional, batch - rows.FirstConditional, false))
            : [new RowRange(0, batch, false)];

        static IEnumerable<RowRange> Singles(int count) => Enumerable.Range(0, count).Select(row => new RowRange(row, 1, true));
    }

    /// <summary>Rows of one call.</summary>
    private readonly record struct RowRange(long First, long Count, bool IsFused);
}

/// <summary>
/// Loss scaling for float16: before the gradient of each row enters the network, it is scaled by a power of two to a chosen largest entry; the result is
/// divided by the same factor. If it still overflows, it is computed again with a smaller scale; after a long time without overflow, the scale grows. No update
/// is lost.
/// </summary>
internal sealed class GradientScale
{
    private const int BackOff = 4;
    private const int Least = -24;
    private const int Most = 10;
    private const int CalmBeforeGrowth = 200;
    private int _calm;

    /// <summary>Base-2 logarithm of the largest entry with which a gradient enters the network.</summary>
    public int Exponent { get; private set; } = 4;

    /// <summary>Scales the gradient, passes it through the network and scales it back.</summary>
    /// <param name="upstream">Gradient of the prediction, [B, ...], in wide precision; borrowed.</param>
    /// <param name="pullBack">Maps the prediction's gradient in float16 to those of the network's inputs, [B, ...] each.</param>
    /// <param name="what">Subject of the sentence about a gradient that overflows at any scale.</param>
    /// <returns>In the type of <paramref name="upstream"/>, in the current dispose scope; and how often it was computed again.</returns>
    public (Tensor[] Gradients, int BackOffs) PullBack(Tensor upstream, Func<Tensor, Tensor[]> pullBack, Func<string> what)
    {
        using DisposeScope scope = NewDisposeScope();
        double[] peaks = [.. upstream.abs().flatten(1).amax([1L]).cpu().to(ScalarType.Float64).data<double>()];
        // A loss that is not a number is for the caller to report.
        if (!peaks.All(double.IsFinite))
            return (Moved(pullBack(upstream.to(ScalarType.Float16))), 0);
        for (int backOffs = 0; ; backOffs++)
        {
            double[] powers = [.. peaks.Select(p => p == 0 ? 1 : Math.ScaleB(1, Math.Clamp(Exponent - (int)Math.Ceiling(Math.Log2(p)), -100, 100)))];
            Tensor scale = tensor(powers).to(upstream.dtype, upstream.device);
            Tensor[] gradients = pullBack(upstream.mul(Like(scale, upstream)).to(ScalarType.Float16));
            if (gradients.All(g => g.isfinite().all().item<bool>()))
            {
                if (++_calm >= CalmBeforeGrowth && Exponent < Most)
                {
                    Exponent++;
                    _calm = 0;
                }
                return (Moved([.. gradients.Select(g => g.to(upstream.dtype).div(Like(scale, g)))]), backOffs);
            }
            _calm = 0;
            if (Exponent - BackOff < Least)
                throw new PrecisionException(what(), ScalarType.Float16);
            Exponent -= BackOff;
        }
    }

    /// <summary>One number per row, reshaped to the rank of another tensor.</summary>
    private static Tensor Like(Tensor perRow, Tensor other) => perRow.view([-1, .. Enumerable.Repeat(1L, (int)other.Dimensions - 1)]);

    private static Tensor[] Moved(Tensor[] tensors) => [.. tensors.Select(t => t.MoveToOuterDisposeScope())];
}
