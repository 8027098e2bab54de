using System.Globalization;
using NullTextResearch.Loading;
using NullTextResearch.Planning;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>
/// The peak memory of a job, computed from the model's configs before anything is loaded, so that a job that cannot succeed is not started. Every network is
/// traced tensor by tensor, including what differentiation keeps, what convolutions copy into another layout, and where the C library would place each block.
/// The heap layout is an estimate, fitted to processes on Linux; tests keep the plan within 15 % of measured peaks in settings of sd-mini, and of the full size
/// if its weights are available.
/// </summary>
/// <param name="RuntimeBytes">Memory of the process before the first network: .NET, libtorch, compiled kernels; on a GPU, its context and libraries.</param>
/// <param name="Stages">The stages, which never overlap.</param>
public sealed record MemoryPlan(long RuntimeBytes, IReadOnlyList<MemoryStage> Stages)
{
    /// <summary>Environment variable with the number of bytes that may be used, for shared machines; it overrides what the system reports.</summary>
    public const string LimitVariable = "NULLTEXT_MEMORY_LIMIT";

    /// <summary>Pages of program files, mainly libtorch's, of a process that has computed on a CPU; measured with none mapped as 2 MB pages.</summary>
    public const long CodeBytes = 140_000_000;

    // Measured in the command line's process: 60 MB besides the code before the first network, and 40 MB of kernels that libtorch compiles for the shapes it
    // encounters.
    private const long CpuRuntime = CodeBytes + 100_000_000;

    // Kernels for 16 bits, in addition to those for 32.
    private const long HalfKernels = 15_000_000;

    // Not measured, because no GPU was available: the commonly reported size of a CUDA context with cuDNN and cuBLAS.
    private const long GpuRuntime = 700_000_000;

    // Not measured: blocks that a GPU's allocator keeps in sizes that are no longer requested.
    private const double GpuSlack = 1.1;

    /// <summary>The peak, in bytes.</summary>
    public long TotalBytes => RuntimeBytes + Stages.Max(s => s.Bytes);

    /// <summary>The stage that needs most.</summary>
    public MemoryStage Largest => Stages.MaxBy(s => s.Bytes)!;

    /// <summary>Plans a job on a model, from configs and file headers only.</summary>
    /// <param name="source">The model on disk; its options apply where the demand specifies none.</param>
    /// <param name="demand">The job.</param>
    public static MemoryPlan For(ModelSource source, MemoryDemand demand) =>
        For(
            source.UNet,
            source.Vae,
            source.Text,
            demand with
            {
                Precision = demand.Precision ?? source.Options.Dtype,
                VaePrecision = demand.VaePrecision ?? (demand.Precision is null ? source.Options.EffectiveVaeDtype : null),
                Memory = demand.Memory ?? source.Options.Memory,
            }
        );

    /// <summary>Plans a job.</summary>
    /// <param name="unet">The U-Net.</param>
    /// <param name="vae">The autoencoder.</param>
    /// <param name="text">The text encoder.</param>
    /// <param name="demand">The job.</param>
    /// <exception cref="ArgumentException">A size is not positive.</exception>
    public static MemoryPlan For(UNetConfig unet, VaeConfig vae, ClipTextConfig text, MemoryDemand demand)
    {
        if (demand.ImageSize.Width < 1 || demand.ImageSize.Height < 1 || demand.Rows < 1 || demand.Images < 1 || demand.GradientRows < 0)
            throw new ArgumentException($"A job needs at least one image, row and pixel, got {demand}.", nameof(demand));
        MemoryOptions memory = demand.Memory ?? new MemoryOptions();
        ScalarType precision = demand.Precision ?? ScalarType.Float32,
            vaePrecision = demand.VaePrecision ?? Precision.Wide(precision);
        int bytes = BytesOf(precision),
            vaeBytes = BytesOf(vaePrecision);
        long unetWeights,
            vaeWeights,
            textWeights;
        // Declaring a network allocates nothing.
        using (UNet2DConditionModel network = new(unet))
            unetWeights = bytes * network.Weights.ParameterCount;
        using (AutoencoderKL network = new(vae))
            vaeWeights = vaeBytes * network.Weights.ParameterCount;
        using (ClipTextModel network = new(text))
            textWeights = bytes * network.Weights.ParameterCount;
        long textThere = memory.Offload ? 0 : textWeights,
            vaeThere = memory.Offload ? 0 : vaeWeights;

        long high = Latents(demand.ImageSize.Height),
            wide = Latents(demand.ImageSize.Width);
        // Rows that an attention processor needs together stay together.
        int together =
            !memory.Sequential ? demand.Rows
            : demand.ExplicitAttention ? Math.Max(1, demand.Rows / 2)
            : 1;
        long tileHigh = Math.Min(high, memory.VaeTile ?? high),
            tileWide = Math.Min(wide, memory.VaeTile ?? wide);
        bool tiled = tileHigh < high || tileWide < wide;
        int images = tiled ? 1 : demand.Images;
        // Tiles are assembled in float32.
        double picture = tiled ? 2.0 * 4 * demand.Images * vae.ImageChannels * demand.ImageSize.Area : 0;

        // Each stage reuses the holes that earlier stages left; with offloading, free memory is returned in between.
        PlannedHeap heap = new();
        List<MemoryStage> stages =
        [
            new("prompt", textWeights + vaeThere + unetWeights, 0),
            new(
                "autoencoder, to latents",
                textThere + vaeWeights + unetWeights,
                Working(vaeBytes, false, tape => new AutoencoderCourse(vae, tape).Encode(images, tileHigh * vae.Downscale, tileWide * vae.Downscale), picture)
            ),
        ];
        if (demand.GradientRows > 0)
        {
            bool segments = memory.Checkpointing && !demand.ExplicitAttention;
            stages.Add(
                new(
                    "U-Net with gradients",
                    textThere + vaeThere + unetWeights,
                    Working(
                        bytes,
                        !segments,
                        tape =>
                        {
                            UNetCourse course = new(unet, tape, text.ContextLength, demand.ExplicitAttention);
                            if (segments)
                                course.RunInSegments(memory.Sequential ? 1 : demand.GradientRows, memory.Sequential ? demand.GradientRows : 1, high, wide);
                            else
                                tape.Backward(course.Run(demand.GradientRows, high, wide));
                        }
                    )
                )
            );
        }
        stages.Add(
            new(
                "U-Net",
                textThere + vaeThere + unetWeights,
                Working(bytes, false, tape => new UNetCourse(unet, tape, text.ContextLength, demand.ExplicitAttention).Run(together, high, wide))
            )
        );
        stages.Add(
            new(
                "autoencoder, to pixels",
                textThere + vaeWeights + unetWeights,
                Working(vaeBytes, false, tape => new AutoencoderCourse(vae, tape).Decode(images, tileHigh, tileWide), picture)
            )
        );
        return new MemoryPlan(demand.IsOnGpu ? GpuRuntime : CpuRuntime + (Precision.IsHalf(precision) ? HalfKernels : 0), stages);

        long Latents(int side) => Math.Max(1, (long)Math.Ceiling((double)side / vae.Downscale));

        long Working(int size, bool gradients, Action<NetworkTape> course, double beside = 0)
        {
            if (memory.Offload)
                heap = new PlannedHeap();
            NetworkTape tape = new(new TapeOptions(size, gradients, !demand.IsOnGpu), heap);
            course(tape);
            return ToBytes(beside + (demand.IsOnGpu ? GpuSlack * tape.Peak : heap.Peak));
        }

        // A size of a hundred thousand pixels is a request like any other: saturate instead of overflowing.
        static long ToBytes(double count) => (long)Math.Min(count, long.MaxValue / 4.0);

        static int BytesOf(ScalarType type) =>
            type switch
            {
                ScalarType.Float64 => 8,
                ScalarType.Float16 or ScalarType.BFloat16 => 2,
                _ => 4,
            };
    }

    /// <summary>
    /// Bytes that this process may use: <see cref="LimitVariable"/> if set, otherwise the smaller of the system's free memory and the container's limit.
    /// </summary>
    /// <exception cref="ArgumentException">The variable is set but is not a number of bytes.</exception>
    public static long Available()
    {
        string? limit = Environment.GetEnvironmentVariable(LimitVariable);
        if (!string.IsNullOrWhiteSpace(limit))
        {
            return long.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
                ? bytes
                : throw new ArgumentException($"{LimitVariable} is '{limit}'; it must be a number of bytes, such as 8000000000, or unset.");
        }

        long container = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return ProcessMemory.Read("/proc/meminfo", "MemAvailable:") is { } available ? Math.Min(container, available) : container;
    }

    /// <summary>Rejects a job on the CPU that does not fit into this machine's memory. A GPU's free memory is not known before it is allocated.</summary>
    /// <param name="source">The model; it need not be loaded.</param>
    /// <param name="demand">The job.</param>
    /// <exception cref="MemoryPlanException">It needs more than is available.</exception>
    public static void RequireFits(ModelSource source, MemoryDemand demand)
    {
        if (source.Options.Device is null or { type: TorchSharp.DeviceType.CPU })
            For(source, demand).RequireFits();
    }

    /// <summary>Rejects a job that does not fit.</summary>
    /// <param name="available">Available bytes; null uses <see cref="Available"/>.</param>
    /// <exception cref="MemoryPlanException">It needs more than is available.</exception>
    public void RequireFits(long? available = null)
    {
        long there = available ?? Available();
        if (TotalBytes > there)
            throw new MemoryPlanException(this, there);
    }
}
