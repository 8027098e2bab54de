using NullTextResearch.Loading;
using NullTextResearch.Planning;
using NullTextResearch.SelfTest;
using NullTextResearch.Tensors;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>All settings for a job, and the best of them.</summary>
/// <param name="Settings">The settings, fastest first.</param>
public sealed record JobPlan(IReadOnlyList<JobSetting> Settings)
{
    // Seconds from the command to the first network call: the runtime, libtorch and just-in-time compilation.
    private const double Starting = 1.5;

    // Disk throughput in bytes per second, for weights that are read again; on a GPU, a lower bound for its bus.
    private const double Reading = 0.8e9;

    /// <summary>For each precision, its fastest setting and each slower one that saves at least 2 % more memory; fastest first.</summary>
    public IReadOnlyList<JobSetting> Worthwhile
    {
        get
        {
            List<JobSetting> kept = [];
            // Among equally fast settings, those with the fewest options come first.
            foreach (JobSetting setting in Settings.OrderBy(s => Math.Round(Math.Log(s.Seconds) * 200)).ThenBy(s => Count(s.Memory)))
            {
                if (kept.Where(k => k.Precision == setting.Precision).All(k => setting.Plan.TotalBytes < 0.98 * k.Plan.TotalBytes))
                    kept.Add(setting);
            }
            return kept;
        }
    }

    /// <summary>Plans a job in every setting. Measures this machine for a second or two per precision; loads nothing.</summary>
    /// <param name="source">The model on disk.</param>
    /// <param name="demand">The job.</param>
    /// <param name="rates">The machine's rates by precision, on which the plan is based. Null measures fp32 and bf16, on a GPU fp16 too.</param>
    /// <param name="isSound">Whether a precision may be recommended. Null runs <see cref="ArithmeticSelfTest"/>.</param>
    public static JobPlan For(
        ModelSource source,
        JobDemand demand,
        IReadOnlyDictionary<ScalarType, MachineRates>? rates = null,
        Func<ScalarType, bool>? isSound = null
    )
    {
        isSound ??= precision => ArithmeticSelfTest.Passes(precision, demand.Device);
        bool gpu = demand.Device.type == TorchSharp.DeviceType.CUDA;
        int factor = source.Vae.Downscale;
        int high = Math.Max(1, (demand.ImageSize.Height + factor - 1) / factor),
            wide = Math.Max(1, (demand.ImageSize.Width + factor - 1) / factor);
        IReadOnlyList<NetworkOperation> network = NetworkWork.OfUNet(source.UNet, high, wide, tokens: source.Text.ContextLength);
        ScalarType[] precisions = gpu ? [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16] : [ScalarType.Float32, ScalarType.BFloat16];
        rates ??= precisions.ToDictionary(p => p, p => MachineRates.Measure(network, demand.Device, p));

        List<JobSetting> settings = [];
        foreach ((ScalarType precision, MachineRates rate) in rates)
        {
            double forward = rate.Forward(network),
                backward = rate.Backward(network);
            MachineRates vaeRate = rates.GetValueOrDefault(Precision.Wide(precision)) ?? rate;
            foreach (MemoryOptions memory in Choices(Math.Max(high, wide)))
            {
                MemoryDemand need = new()
                {
                    ImageSize = demand.ImageSize,
                    Rows = 2,
                    GradientRows = demand.InnerSteps > 0 ? 1 : 0,
                    Precision = precision,
                    Memory = memory,
                    IsOnGpu = gpu,
                };
                MemoryPlan plan = MemoryPlan.For(source, need);
                if (demand.Edits)
                {
                    MemoryPlan edit = MemoryPlan.For(source, need with { Rows = 4, GradientRows = 0, Images = 2, ExplicitAttention = true });
                    plan = new MemoryPlan(plan.RuntimeBytes, [.. plan.Stages, .. edit.Stages]);
                }
                // Inversion: per step the caption's prediction and the advance, with both halves of guidance; checkpointing adds a forward pass to each inner
                // step.
                double inner = forward + backward + (memory.Checkpointing ? forward : 0);
                // Encoding, and decoding of the round trip and of the reconstruction.
                (double encode, double decode) = Autoencoder(source, vaeRate, high, wide, memory);
                double once = Starting + encode + (2 * decode) + (demand.Edits ? demand.Steps * 4 * forward : 0);
                if (memory.Offload)
                {
                    MemoryPlan all = MemoryPlan.For(source, need with { Memory = new MemoryOptions() });
                    once += 2 * (all.Stages[0].WeightBytes - plan.Stages.Min(s => s.WeightBytes)) / Reading;
                }
                settings.Add(
                    new JobSetting(
                        precision,
                        memory,
                        plan,
                        new JobTime(once, forward, inner, 3 * demand.Steps, demand.Steps, demand.InnerSteps),
                        isSound(precision)
                    )
                );
            }
        }
        return new JobPlan([.. settings.OrderBy(s => s.Seconds).ThenBy(s => s.Plan.TotalBytes)]);
    }

    /// <summary>
    /// The fastest setting that fits and whose arithmetic is sound, or null. Among settings of about the same speed, the one with the fewest options.
    /// </summary>
    /// <param name="available">Available bytes.</param>
    public JobSetting? Fastest(long available)
    {
        JobSetting[] possible = [.. Settings.Where(s => s.IsSound && s.Plan.TotalBytes <= available)];
        return possible.Length == 0
            ? null
            : possible.Where(s => s.Precision == possible[0].Precision && s.Seconds <= 1.01 * possible[0].Seconds).MinBy(s => Count(s.Memory));
    }

    private static int Count(MemoryOptions memory) =>
        (memory.Checkpointing ? 1 : 0) + (memory.Sequential ? 1 : 0) + (memory.Offload ? 1 : 0) + (memory.VaeTile is null ? 0 : 1);

    private static IEnumerable<MemoryOptions> Choices(int side)
    {
        int?[] tiles =
            side > 64 ? [null, 64, 32]
            : side > 32 ? [null, 32]
            : [null];
        foreach (bool checkpointing in (bool[])[false, true])
        {
            foreach (bool sequential in (bool[])[false, true])
            {
                foreach (bool offload in (bool[])[false, true])
                {
                    foreach (int? tile in tiles)
                        yield return new MemoryOptions
                        {
                            Checkpointing = checkpointing,
                            Sequential = sequential,
                            Offload = offload,
                            VaeTile = tile,
                        };
                }
            }
        }
    }

    private static (double Encode, double Decode) Autoencoder(ModelSource source, MachineRates rates, int high, int wide, MemoryOptions memory)
    {
        int tileHigh = Math.Min(high, memory.VaeTile ?? high),
            tileWide = Math.Min(wide, memory.VaeTile ?? wide);
        int tiles = Along(high, tileHigh) * Along(wide, tileWide);
        NetworkTape encoding = new(new TapeOptions(4, false)),
            decoding = new(new TapeOptions(4, false));
        new AutoencoderCourse(source.Vae, encoding).Encode(1, (long)tileHigh * source.Vae.Downscale, (long)tileWide * source.Vae.Downscale);
        new AutoencoderCourse(source.Vae, decoding).Decode(1, tileHigh, tileWide);
        return (tiles * rates.Forward(encoding.Operations), tiles * rates.Forward(decoding.Operations));

        int Along(int side, int tile) => side <= tile ? 1 : (int)Math.Ceiling((side - memory.Overlap) / (double)(tile - memory.Overlap));
    }
}
