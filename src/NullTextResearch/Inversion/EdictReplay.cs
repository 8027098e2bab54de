using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>EDICT's sampling rule: the state is a pair of latents.</summary>
/// <param name="second">The second latent of each image at the first step, [images, 4, H, W]; owned by this object.</param>
/// <param name="mix">Share of a latent that each mixing step keeps.</param>
/// <param name="firstStep">First step to run.</param>
/// <param name="sourceGuidance">w of source rows.</param>
public sealed class EdictReplay(Tensor second, double mix, int firstStep, double sourceGuidance) : IReplay
{
    private readonly UseGate _gate = new(nameof(EdictReplay));

    /// <inheritdoc/>
    public int FirstStep => firstStep;

    /// <inheritdoc/>
    public double? SourceGuidance => sourceGuidance;

    /// <summary>[images, 4, H, W]; borrowed.</summary>
    public Tensor Second => _gate.Alive(second);

    /// <summary>Receives the index of the latent that moved (0 or 1) and its new value, borrowed; null to disable.</summary>
    public Action<int, Tensor>? Observer { get; init; }

    /// <inheritdoc/>
    public ReplayData Data =>
        new(
            EdictOptions.PathId,
            new Dictionary<string, double>
            {
                ["mix"] = mix,
                ["first_step"] = firstStep,
                ["source_guidance"] = sourceGuidance,
            },
            new Dictionary<string, Tensor> { ["second"] = Second }
        );

    /// <summary>Rebuilds it from stored data.</summary>
    public static EdictReplay Restore(ReplayData data) =>
        new(data.Tensor("second"), data.Number("mix"), (int)data.Number("first_step"), data.Number("source_guidance"));

    /// <inheritdoc/>
    public LatentState Start(Tensor latents, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        using Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: second.device);
        return new LatentState(latents.alias()) { More = [second.index_select(0, images)] };
    }

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        Tensor[] pair = [state.Latents, state.More[0]];
        int first = (step.Step - firstStep) % 2;
        foreach (int k in (int[])[first, 1 - first])
        {
            Tensor own = pair[k],
                other = pair[1 - k];
            pair[k] = Lifetime.Scoped(() => Ddim.Move(own, noise(other), step.Noisy, step.Clean));
            Observer?.Invoke(k, pair[k]);
        }
        pair[0] = Mixed(pair[0], pair[1]);
        pair[1] = Mixed(pair[1], pair[0]);
        return new LatentState(pair[0]) { More = [pair[1]] };

        Tensor Mixed(Tensor own, Tensor other) => Lifetime.Scoped(() => own.Times(mix).Plus(other.Times(1 - mix)));
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Close(second.Dispose);
}
