using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Inversion;

/// <summary>
/// Sampling by two-step rules: the state is a pair, the latents of a level and those of the level above, from which the rules give the level below.
/// </summary>
/// <param name="kind">Id of the path.</param>
/// <param name="above">Latents of each image one level above the start, [images, 4, H, W]; owned by this object.</param>
/// <param name="rules">The rules of the steps, starting with that of the last step (which ends at the image).</param>
/// <param name="firstStep">First step to run.</param>
/// <param name="sourceGuidance">w of source rows.</param>
public sealed class TwoStepReplay(string kind, Tensor above, IReadOnlyList<TwoStepRule> rules, int firstStep, double sourceGuidance) : IReplay
{
    private readonly UseGate _gate = new(nameof(TwoStepReplay));

    /// <inheritdoc/>
    public int FirstStep => firstStep;

    /// <inheritdoc/>
    public double? SourceGuidance => sourceGuidance;

    /// <summary>[images, 4, H, W]; borrowed.</summary>
    public Tensor Above => _gate.Alive(above);

    /// <summary>The rules of the steps, starting with that of the last step.</summary>
    public IReadOnlyList<TwoStepRule> Rules => rules;

    /// <inheritdoc/>
    public ReplayData Data
    {
        get
        {
            Dictionary<string, double> numbers = new()
            {
                ["first_step"] = firstStep,
                ["source_guidance"] = sourceGuidance,
                ["rules"] = rules.Count,
            };
            for (int i = 0; i < rules.Count; i++)
            {
                numbers[Numbered("far", i)] = rules[i].Far;
                numbers[Numbered("near", i)] = rules[i].Near;
                numbers[Numbered("noise", i)] = rules[i].Noise;
            }
            return new ReplayData(kind, numbers, new Dictionary<string, Tensor> { ["above"] = Above });
        }
    }

    /// <summary>Rebuilds it from stored data.</summary>
    public static TwoStepReplay Restore(ReplayData data) =>
        new(
            data.Kind,
            data.Tensor("above"),
            [
                .. Enumerable
                    .Range(0, (int)data.Number("rules"))
                    .Select(i => new TwoStepRule(data.Number(Numbered("far", i)), data.Number(Numbered("near", i)), data.Number(Numbered("noise", i)))),
            ],
            (int)data.Number("first_step"),
            data.Number("source_guidance")
        );

    /// <inheritdoc/>
    public LatentState Start(Tensor latents, BatchLayout rows)
    {
        using UseGate.Lease use = _gate.Use();
        using Tensor images = tensor(rows.Rows.Select(r => (long)r.Image).ToArray(), device: above.device);
        return new LatentState(latents.alias()) { More = [above.index_select(0, images)] };
    }

    /// <inheritdoc/>
    public LatentState Move(LatentState state, DiffusionStep step, Func<Tensor, Tensor> noise, BatchLayout rows)
    {
        TwoStepRule rule = rules[rules.Count - 1 - (step.Step - firstStep)];
        Tensor cleaner = Lifetime.Scoped(() => rule.Cleaner(state.More[0], state.Latents, noise(state.Latents)));
        return new LatentState(cleaner) { More = [state.Latents.alias()] };
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Close(above.Dispose);

    private static string Numbered(string name, int index) => string.Create(CultureInfo.InvariantCulture, $"{name}_{index}");
}
