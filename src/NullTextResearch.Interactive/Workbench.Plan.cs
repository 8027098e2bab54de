using System.Globalization;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;
using NullTextResearch.Planning;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Interactive;

/// <content>Cost estimates.</content>
public sealed partial class Workbench
{
    /// <summary>Measures a few network calls and estimates the cost of the usual tasks: evaluations, memory, time on this device.</summary>
    /// <param name="options">Steps (null for 50) and size; its method is ignored.</param>
    /// <param name="innerSteps">N, inner steps of null-text inversion (default 10).</param>
    /// <param name="cancellation">Stops the measurement.</param>
    /// <returns>
    /// A table. Times are the measured time per call times the number of calls. Null-text inversion may stop early, so its row is an upper bound.
    /// </returns>
    public Task<TableView> Plan(InvertOptions? options = null, int innerSteps = 10, CancellationToken cancellation = default)
    {
        int steps = (options ?? InvertOptions.Default).Steps;
        ArgumentOutOfRangeException.ThrowIfNegative(innerSteps);
        PixelSize size = (options?.Size ?? ImageSizing.Own).For(Model.ImageSize, Model.Sizes);
        return Run(
            "measurement",
            (progress, stop) =>
            {
                MachineLoad load = Model.Device.type == DeviceType.CPU ? MachineLoad.Measure(_threads) : MachineLoad.Quiet;
                string busy = load.IsBusy
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"; the machine is busy: other work leaves {100 * load.Share:0} % of the processor time, so an idle machine would be faster"
                    )
                    : "";
                (double forward, double backward) = Measure(size, progress, stop);
                Job[] jobs =
                [
                    new("DDIM inversion", steps, 0, 1, 0, false),
                    new(
                        string.Create(CultureInfo.InvariantCulture, $"null-text inversion, N = {innerSteps}, at most"),
                        steps + (steps * (innerSteps + 2)),
                        steps * innerSteps,
                        2,
                        1,
                        false
                    ),
                    new("reconstruction", 2 * steps, 0, 2, 0, false),
                    new("edit", 4 * steps, 0, 4, 0, true),
                    new(
                        string.Create(CultureInfo.InvariantCulture, $"sweep of {TargetsTogether} edits"),
                        2 * (1 + TargetsTogether) * steps,
                        0,
                        2 * (1 + TargetsTogether),
                        0,
                        true
                    ),
                ];
                return new TableView(
                    new TableData(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Model.Name} on {Model.Device}, T = {steps}{(size == Model.ImageSize ? "" : $", {size} pixels")}: {1000 * forward:0.0} ms "
                                + $"an evaluation, {1000 * backward:0.0} ms with a backward pass{busy}"
                        ),
                        ["work", "evaluations", "with backward pass", "memory [GB]", "time [s]"],
                        [
                            .. jobs.Select(job =>
                                (IReadOnlyList<string>)
                                    [
                                        job.Name,
                                        job.Evaluations.ToString(CultureInfo.InvariantCulture),
                                        job.Backwards.ToString(CultureInfo.InvariantCulture),
                                        Memory(job, size),
                                        (((job.Evaluations - job.Backwards) * forward) + (job.Backwards * backward)).ToString(
                                            "0.0",
                                            CultureInfo.InvariantCulture
                                        ),
                                    ]
                            ),
                        ]
                    )
                );
            },
            cancellation
        );
    }

    private (double Forward, double Backward) Measure(PixelSize size, LiveProgress progress, CancellationToken stop)
    {
        // The first calls also load kernels and warm caches, so only the second measurement counts.
        (double forward, double backward) = (0, 0);
        for (int round = 0; round < 2; round++)
        {
            using DisposeScope scope = NewDisposeScope();
            InversionProblem problem = new()
            {
                Predictor = Model.Predictor(),
                Grid = Model.Grid(2),
                Latents = Model.Encode([new RgbImage(size.Width, size.Height, new byte[size.Area * 3])]),
                Conditional = Model.Embed(""),
                Unconditional = Model.Embed(""),
            };
            using InversionResult plain = new DdimInversion().Invert(problem, progress, stop);
            using InversionResult tuned = Interactive.Methods.NullText(2, stopEarly: false).Invert(problem, progress, stop);
            forward = plain.Elapsed.TotalSeconds / plain.EvaluationsPerImage;
            backward = Math.Max(
                forward,
                (tuned.Elapsed.TotalSeconds - ((tuned.EvaluationsPerImage - tuned.BackwardsPerImage) * forward)) / tuned.BackwardsPerImage
            );
        }

        return (forward, backward);
    }

    private string Memory(Job job, PixelSize size)
    {
        if (Model.Source is not { } source)
            return "";
        MemoryPlan plan = MemoryPlan.For(
            source,
            new MemoryDemand
            {
                ImageSize = size,
                Rows = job.Rows,
                GradientRows = job.GradientRows,
                ExplicitAttention = job.Maps,
                Memory = Model.Memory,
                IsOnGpu = Model.Device.type == DeviceType.CUDA,
            }
        );
        return (plan.TotalBytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture);
    }

    private sealed record Job(string Name, int Evaluations, int Backwards, int Rows, int GradientRows, bool Maps);
}
