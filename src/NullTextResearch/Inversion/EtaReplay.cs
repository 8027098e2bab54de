using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>Sampling with the noise that <see cref="EtaInversion"/> chose; source rows are put on the pivot after each step.</summary>
/// <param name="targets">Latents of the pivot that each step ends at, [T, images, 4, H, W], step 0 (noisiest) first; owned by this object.</param>
/// <param name="noises">Noise of each step, same shape; owned by this object.</param>
/// <param name="cleanEta">Share of the DDPM noise at timestep 0.</param>
/// <param name="noisyEta">Share of the DDPM noise at the last timestep.</param>
/// <param name="trainTimesteps">Number of network timesteps.</param>
public sealed class EtaReplay(Tensor targets, Tensor noises, double cleanEta, double noisyEta, int trainTimesteps) : IReplay
{
    /// <summary>Name in files.</summary>
    public const string Kind = "eta";

    private readonly UseGate _gate = new(nameof(EtaReplay));

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            Kind,
            new Dictionary<string, double>
            {
                ["clean_eta"] = cleanEta,
                ["noisy_eta"] = noisyEta,
                ["train_timesteps"] = trainTimesteps,
            },
            new Dictionary<string, Tensor> { ["targets"] = _gate.Alive(targets), ["noises"] = _gate.Alive(noises) }
        );

    /// <summary>Rebuilds it from stored data.</summary>
    public static EtaReplay Restore(ReplayData data) =>
        new(data.Tensor("targets"), data.Tensor("noises"), data.Number("clean_eta"), data.Number("noisy_eta"), (int)data.Number("train_timesteps"));

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        return new LatentState(
            Lifetime.Scoped(() =>
            {
                EditFriendlyReplay.Rule rule = EditFriendlyReplay.Rule.Of(step, EtaAt(step, cleanEta, noisyEta, trainTimesteps), publishedEta: false);
                Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: noises.device);
                Tensor own = noises.select(0, step.Step).index_select(0, images);
                Tensor moved = rule.Mean(state.Latents, noise(state.Latents)).Plus(own.Times(rule.Deviation));
                Tensor isSource = tensor(rows.Rows.Select(r => r.IsSource).ToArray(), device: noises.device).view(-1, 1, 1, 1);
                return where(isSource, targets.select(0, step.Step).index_select(0, images), moved);
            })
        );
    }

    /// <inheritdoc/>
    public void Dispose() =>
        _gate.Close(() =>
        {
            targets.Dispose();
            noises.Dispose();
        });

    /// <summary>The share of the DDPM noise at a step.</summary>
    internal static double EtaAt(DiffusionStep step, double cleanEta, double noisyEta, int trainTimesteps) =>
        cleanEta + ((noisyEta - cleanEta) * step.Timestep / (trainTimesteps - 1));
}
