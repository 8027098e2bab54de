using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>DDPM sampling with given noise: that of <see cref="EditFriendlyPath"/>, which source and edited versions of an image share.</summary>
/// <param name="noises">[T, images, 4, H, W], step 0 (noisiest) first; owned by this object.</param>
/// <param name="eta">Share of the variance.</param>
/// <param name="publishedEta">The released code's direction term.</param>
/// <param name="firstStep">First step to run.</param>
/// <param name="sourceGuidance">w of source rows.</param>
public sealed class EditFriendlyReplay(Tensor noises, double eta, bool publishedEta, int firstStep, double sourceGuidance) : IReplay
{
    private readonly UseGate _gate = new(nameof(EditFriendlyReplay));

    /// <inheritdoc/>
    public int FirstStep => firstStep;

    /// <inheritdoc/>
    public double? SourceGuidance => sourceGuidance;

    /// <summary>[T, images, 4, H, W]; borrowed.</summary>
    public Tensor Noises => _gate.Alive(noises);

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            EditFriendlyOptions.PathId,
            new Dictionary<string, double>
            {
                ["eta"] = eta,
                ["published_eta"] = publishedEta ? 1 : 0,
                ["first_step"] = firstStep,
                ["source_guidance"] = sourceGuidance,
            },
            new Dictionary<string, Tensor> { ["noises"] = Noises }
        );

    /// <summary>Rebuilds it from stored data.</summary>
    public static EditFriendlyReplay Restore(ReplayData data) =>
        new(data.Tensor("noises"), data.Number("eta"), data.Number("published_eta") != 0, (int)data.Number("first_step"), data.Number("source_guidance"));

    /// <summary>How much the latents after a step change with the noise prediction.</summary>
    internal double NoiseFactor(DiffusionStep step) => Rule.Of(step, eta, publishedEta).NoiseFactor;

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        return new LatentState(
            Lifetime.Scoped(() =>
            {
                Rule rule = Rule.Of(step, eta, publishedEta);
                Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: noises.device);
                Tensor own = noises.select(0, step.Step).index_select(0, images);
                return rule.Mean(state.Latents, noise(state.Latents)).Plus(own.Times(rule.Deviation));
            })
        );
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Close(noises.Dispose);

    /// <summary>One stochastic DDIM step: mean and standard deviation of the next latents.</summary>
    internal readonly record struct Rule(double Signal, double Noise, double NextSignal, double Direction, double Deviation)
    {
        /// <summary>The factor of the noise prediction in <see cref="Mean"/>.</summary>
        public double NoiseFactor => Direction - (NextSignal * Noise / Signal);

        /// <summary>Song et al. 2020, eq. (16), with v the variance of DDPM.</summary>
        public static Rule Of(DiffusionStep step, double eta, bool publishedEta)
        {
            double a = step.Noisy.RequireAlphaBar("A path with noise of its own at each step"),
                next = step.Clean.AlphaBar;
            double variance = (1 - next) / (1 - a) * (1 - (a / next));
            double taken = publishedEta ? eta * variance : eta * eta * variance;
            return new Rule(Math.Sqrt(a), Math.Sqrt(1 - a), Math.Sqrt(next), Math.Sqrt(Math.Max(0, 1 - next - taken)), eta * Math.Sqrt(variance));
        }

        public Tensor Mean(Tensor latents, Tensor prediction)
        {
            Rule own = this;
            return Lifetime.Scoped(() =>
            {
                Tensor clean = latents.sub(prediction.Times(own.Noise)).Over(own.Signal);
                return clean.Times(own.NextSignal).Plus(prediction.Times(own.Direction));
            });
        }
    }
}
