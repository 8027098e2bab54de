using System.Diagnostics;
using System.Globalization;
using System.Text;
using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Planning;
using NullTextResearch.UNet;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Bench.FullSize;

/// <summary>What to measure.</summary>
internal sealed record FullSizeWork(int Size, int Rounds, int InnerSteps, int Threads, Device Device, string Command)
{
    /// <summary>The network; its weights are random in any case.</summary>
    public UNetConfig Config { get; init; } = UNetConfig.StableDiffusion1;

    /// <summary>Its name in the report.</summary>
    public string Name { get; init; } = "Stable Diffusion 1.5";

    /// <summary>Height and width of the latents.</summary>
    public int Latents { get; init; } = Size / 8;

    /// <summary>Tokens of the text.</summary>
    public int Tokens { get; init; } = NetworkWork.Tokens;

    /// <summary>Rows of the batch.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>The network takes milliseconds, not seconds: every row runs in every round.</summary>
    public bool IsSmall { get; init; }

    /// <summary>sd-mini's network, in this batch.</summary>
    public FullSizeWork OfMini(int batch)
    {
        ModelSource mini = ModelSource.Find(StableDiffusion.MiniFolder());
        int latents = mini.UNet.SampleSize;
        return this with
        {
            Size = latents * 4,
            Config = mini.UNet,
            Name = $"sd-mini in a batch of {batch}",
            Latents = latents,
            Tokens = mini.Text.ContextLength,
            Batch = batch,
            IsSmall = true,
        };
    }
}

/// <summary>
/// The U-Net of Stable Diffusion 1.5, or of sd-mini, with random weights made in memory, against ceilings of this machine measured in the same run. Speed does
/// not depend on the values of the weights, only on their number.
/// </summary>
internal sealed class FullSizeBenchmark(FullSizeWork work)
{
    private const int OperationRepeats = 4;
    private readonly Device _device = work.Device;
    private readonly UNetConfig _config = work.Config;
    private readonly CultureInfo _c = CultureInfo.InvariantCulture;
    private readonly StringBuilder _text = new();

    // A GPU takes hundredths of a CPU's time, and so does a small network.
    private string Digits => _device.type == DeviceType.CUDA || work.IsSmall ? "0.0000" : "0.00";

    private string FlopDigits => work.IsSmall ? "0.00" : "0";

    private ScalarType Low => _device.type == DeviceType.CUDA ? ScalarType.Float16 : ScalarType.BFloat16;

    public string Run()
    {
        IReadOnlyList<NetworkOperation> operations = NetworkWork.OfUNet(_config, work.Latents, work.Latents, work.Batch, work.Tokens);
        ScalarType[] dtypes = [ScalarType.Float32, Low];
        Note("ceilings");
        Dictionary<ScalarType, Ceilings> before = dtypes.ToDictionary(
            d => d,
            d => Ceilings.Measure(new OperationTimer(_device, OperationRepeats), operations, d)
        );

        Note("weights");
        using UNet2DConditionModel full = new(_config),
            low = new(_config);
        full.Weights.Initialise(1, _device, ScalarType.Float32);
        low.Weights.Fill(weight => full.Weights.Find(weight.Key)!.Value.to(Low));
        Dictionary<ScalarType, UNet2DConditionModel> networks = new() { [ScalarType.Float32] = full, [Low] = low };
        Dictionary<(string Row, ScalarType Dtype), double> best = [];
        Row[] rows = [.. Rows(operations)];
        for (int round = 0; round <= work.Rounds; round++)
        {
            foreach (Row row in rows)
            {
                // Round 0 warms up the short rows.
                if (!work.IsSmall && row.Calls > 2 && round != 1)
                    continue;
                foreach (ScalarType dtype in dtypes)
                {
                    double seconds = Seconds(() => row.Body(networks[dtype], dtype));
                    if (!work.IsSmall)
                        Note(string.Create(_c, $"round {round}: {row.Name}, {dtype}: {seconds.ToString(Digits, _c)} s"));
                    if (round > 0)
                        best[(row.Name, dtype)] = Math.Min(seconds, best.GetValueOrDefault((row.Name, dtype), double.PositiveInfinity));
                }
            }
        }

        Note("ceilings again");
        Dictionary<ScalarType, Ceilings> ceilings = dtypes.ToDictionary(
            d => d,
            d => before[d].Better(Ceilings.Measure(new OperationTimer(_device, OperationRepeats), operations, d))
        );
        Header();
        Ceiling(ceilings);
        Table(rows, dtypes, best, ceilings);
        Kinds(operations, dtypes, ceilings, networks);
        if (_device.type == DeviceType.CUDA)
        {
            Note("launches");
            _text.AppendLine();
            _text.Append(LaunchGaps.Report(networks, work.Size));
        }
        return _text.ToString();
    }

    private IEnumerable<Row> Rows(IReadOnlyList<NetworkOperation> operations)
    {
        NetworkOperation[] outside = [.. operations.Where(o => o.Shape.Kind != WorkKind.SelfAttention)];
        Work forward = Work.Forward(operations),
            both = forward.Plus(Work.Backward(operations));
        yield return new Row("forward", 1, forward, (net, dtype) => Forward(net, dtype, null));
        yield return new Row("forward, self-attention left out", 1, Work.Forward(outside), (net, dtype) => Forward(net, dtype, WithoutSelfAttention.Instance));
        yield return new Row("forward and backward to the embedding", 2, both, (net, dtype) => ForwardBackward(net, dtype, null));
        yield return new Row(
            "forward and backward, self-attention left out",
            2,
            Work.Forward(outside).Plus(Work.Backward(outside)),
            (net, dtype) => ForwardBackward(net, dtype, WithoutSelfAttention.Instance)
        );
        // One prediction with the caption, the inner steps, one prediction to advance.
        yield return new Row(
            $"one null-text timestep, {work.InnerSteps} inner steps",
            2 + (2 * work.InnerSteps),
            forward.Times(2).Plus(both.Times(work.InnerSteps)),
            Timestep
        );
    }

    private void Forward(UNet2DConditionModel net, ScalarType dtype, INetworkHook? attention)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        (Tensor latents, Tensor time, Tensor text) = Inputs(dtype);
        net.Forward(latents, time, text, attention);
    }

    private void ForwardBackward(UNet2DConditionModel net, ScalarType dtype, INetworkHook? attention)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor latents, Tensor time, Tensor text) = Inputs(dtype);
        text.requires_grad_(true);
        Tensor loss = net.Forward(latents, time, text, attention).to(ScalarType.Float32).square().mean();
        autograd.grad([loss], [text]);
    }

    private void Timestep(UNet2DConditionModel net, ScalarType dtype)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor latents, _, Tensor text) = Inputs(ScalarType.Float32);
        InversionProblem problem = new()
        {
            Predictor = new InPrecision(new UNetNoisePredictor(net), dtype),
            Grid = new TimestepGrid(NoiseSchedule.StableDiffusion, 1),
            Latents = latents,
            Conditional = text,
            Unconditional = text.narrow(0, 0, 1).mul(0.5),
        };
        using PivotTrajectory pivot = new([latents, latents.mul(1.1)]);
        using InversionResult result = new NullTextInversion(new NullTextOptions { InnerSteps = work.InnerSteps, StopEarly = false }).Invert(problem, pivot);
    }

    private (Tensor Latents, Tensor Time, Tensor Text) Inputs(ScalarType dtype)
    {
        using Generator generator = new(7);
        return (
            randn([work.Batch, _config.InChannels, work.Latents, work.Latents], generator: generator).to(dtype, _device),
            tensor((long[])[501], device: _device),
            randn([work.Batch, work.Tokens, _config.CrossAttentionDim], generator: generator).to(dtype, _device)
        );
    }

    private double Seconds(Action body)
    {
        Synchronize();
        long start = Stopwatch.GetTimestamp();
        body();
        Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Synchronize()
    {
        if (_device.type == DeviceType.CUDA)
            cuda.synchronize();
    }

    private void Header()
    {
        _text.AppendLine(_c, $"# U-Net of {work.Name} at {work.Size} pixels, {DateTimeOffset.UtcNow:yyyy-MM-dd}");
        _text.AppendLine();
        _text.AppendLine(_c, $"`{work.Command}`");
        _text.AppendLine();
        _text.AppendLine(
            _c,
            $"{(_device.type == DeviceType.CUDA ? "CUDA" : Machine.Processor())}, {work.Threads} thread(s), .NET {Environment.Version}, TorchSharp "
                + $"{typeof(torch).Assembly.GetName().Version}; batch of {work.Batch}, random weights, best of {work.Rounds} rounds in which the two "
                + $"precisions took turns{(work.IsSmall ? "" : " (the timestep: one round)")}."
        );
        _text.AppendLine();
    }

    private void Ceiling(Dictionary<ScalarType, Ceilings> ceilings)
    {
        _text.AppendLine(
            "**The limit.** Every distinct operation of the network is timed alone, before and after the rows below; the best time counts. A kind's "
                + "ceiling is the best rate that any of the network's own shapes reaches (for matrix products also a square of 4,096). The *limit* of a row "
                + "is its FLOPs at these ceilings. FLOPs are counted from the layers, two for a multiply-and-add, without norms, activations, bias and "
                + "softmax; backward, each operation on the way to the embedding counts once more (attention, whose two products have two inputs each, "
                + "twice). Attention is a fused kernel with a softmax inside and has its own ceilings; the column *attention as products* compares its "
                + "FLOPs with the ceiling of matrix products instead, which no such kernel reaches. *Alone* adds up the operations' own best "
                + "times: it shows how much of the gap is due to the shapes (small maps, big weights), and how much lies between the operations."
        );
        _text.AppendLine();
        _text.AppendLine("| ceiling, GF/s | " + string.Join(" | ", ceilings.Keys) + " |");
        _text.AppendLine("|---|" + string.Concat(ceilings.Keys.Select(_ => "---|")));
        foreach (WorkKind kind in Enum.GetValues<WorkKind>())
            _text.AppendLine(_c, $"| {Name(kind)} | {string.Join(" | ", ceilings.Values.Select(v => (v.Rate(kind) / 1e9).ToString("0", _c)))} |");
        _text.AppendLine();
    }

    private void Table(Row[] rows, ScalarType[] dtypes, Dictionary<(string, ScalarType), double> best, Dictionary<ScalarType, Ceilings> ceilings)
    {
        _text.AppendLine(
            "| row | precision | time, s | GFLOPs | GF/s | limit, s | fraction of the limit | the same, attention as products | alone, s | speed against "
                + "float32 |"
        );
        _text.AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (Row row in rows)
        {
            foreach (ScalarType dtype in dtypes)
            {
                double seconds = best[(row.Name, dtype)],
                    limit = row.Work.Limit(ceilings[dtype], attentionAsProducts: false),
                    strict = row.Work.Limit(ceilings[dtype], attentionAsProducts: true);
                _text.AppendLine(
                    _c,
                    $"| {row.Name} | {dtype} | {seconds.ToString(Digits, _c)} | {(row.Work.Flops / 1e9).ToString(FlopDigits, _c)} | "
                        + $"{row.Work.Flops / seconds / 1e9:0} | "
                        + $"{limit.ToString(Digits, _c)} | **{100 * limit / seconds:0} %** | {100 * strict / seconds:0} % | "
                        + $"{row.Work.Alone(ceilings[dtype]).ToString(Digits, _c)} | "
                        + $"{(dtype == ScalarType.Float32 ? "" : string.Create(_c, $"**{best[(row.Name, ScalarType.Float32)] / seconds:0.00}x**"))} |"
                );
            }
        }
        _text.AppendLine();
        if (work.IsSmall)
            _text.AppendLine(_c, $"Pictures per second and thread, forward: {Rates(rows[0])}; forward and backward: {Rates(rows[2])}.");
        else
            _text.AppendLine(_c, $"Peak memory of the process with both networks loaded: {(ProcessMemory.Peak() ?? 0) / 1e9:0.0} GB.");
        _text.AppendLine();

        string Rates(Row row) => string.Join(", ", dtypes.Select(d => Rate(row, d)));
        string Rate(Row row, ScalarType dtype) => string.Create(_c, $"{work.Batch / best[(row.Name, dtype)] / work.Threads:0} ({dtype})");
    }

    /// <summary>Where a forward pass spends its time: the time from the end of one module to the end of the next.</summary>
    private void Kinds(
        IReadOnlyList<NetworkOperation> operations,
        ScalarType[] dtypes,
        Dictionary<ScalarType, Ceilings> ceilings,
        Dictionary<ScalarType, UNet2DConditionModel> networks
    )
    {
        _text.AppendLine(
            "Where a forward pass spends its time, s (from the end of one module to the end of the next; activations, additions and copies count "
                + "towards the module after them):"
        );
        _text.AppendLine();
        _text.AppendLine("| modules | " + string.Join(" | ", dtypes.Select(d => $"{d} | alone")) + " |");
        _text.AppendLine("|---|" + string.Concat(dtypes.Select(_ => "---|---|")));
        Dictionary<ScalarType, Dictionary<string, double>> spent = dtypes.ToDictionary(d => d, d => Profile(networks[d], d));
        foreach (string kind in spent.Values.SelectMany(s => s.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            string[] cells =
            [
                .. dtypes.Select(d =>
                {
                    double alone = operations.Where(o => KindOf(o.Path, o.Shape.Kind) == kind).Sum(o => ceilings[d].Alone(o.Shape));
                    return string.Create(
                        _c,
                        $"{spent[d].GetValueOrDefault(kind).ToString(Digits + "0", _c)} | {(alone > 0 ? alone.ToString(Digits + "0", _c) : "")}"
                    );
                }),
            ];
            _text.AppendLine($"| {kind} | {string.Join(" | ", cells)} |");
        }
    }

    private Dictionary<string, double> Profile(UNet2DConditionModel net, ScalarType dtype)
    {
        Dictionary<string, double> best = [];
        for (int round = 0; round < (work.IsSmall ? work.Rounds : 2); round++)
        {
            Dictionary<string, double> spent = [];
            Synchronize();
            long last = Stopwatch.GetTimestamp();
            net.Weights.Observer = (path, _) => Count(KindOf(path, null));
            // Attention itself is timed separately from the linear layers around it.
            Forward(net, dtype, new Watching(Count));
            net.Weights.Observer = null;
            foreach ((string kind, double seconds) in spent)
                best[kind] = Math.Min(seconds, best.GetValueOrDefault(kind, double.PositiveInfinity));

            void Count(string kind)
            {
                Synchronize();
                long now = Stopwatch.GetTimestamp();
                spent[kind] = spent.GetValueOrDefault(kind) + Stopwatch.GetElapsedTime(last, now).TotalSeconds;
                last = now;
            }
        }
        return best;
    }

    private static string KindOf(string path, WorkKind? kind)
    {
        if (kind is WorkKind.SelfAttention or WorkKind.CrossAttention)
            return Name(kind.Value);
        if (path.Contains("time", StringComparison.Ordinal))
            return "time embedding (linear)";
        if (path.Contains(".attn", StringComparison.Ordinal))
            return path.Contains("to_", StringComparison.Ordinal) ? "attention's projections (linear)" : "end of blocks";
        if (path.Contains(".ff.", StringComparison.Ordinal))
            return path.EndsWith("proj", StringComparison.Ordinal) ? "feed-forward, first half (linear)" : "feed-forward, second half with the gate (linear)";
        if (path.Contains("proj_", StringComparison.Ordinal))
            return "transformer's entry and exit (1x1 convolution)";
        if (path.Contains("norm", StringComparison.Ordinal))
            return "normalisations";
        if (path.EndsWith("conv_shortcut", StringComparison.Ordinal))
            return "shortcuts (1x1 convolution)";
        if (path.Contains("conv", StringComparison.Ordinal))
            return path.Contains("upsamplers", StringComparison.Ordinal) ? "upsampling (repeat and convolution)" : "3x3 convolutions, with their activation";
        return "end of blocks";
    }

    private static string Name(WorkKind kind) =>
        kind switch
        {
            WorkKind.Convolution => "convolution",
            WorkKind.Linear => "matrix product (linear)",
            WorkKind.SelfAttention => "self-attention",
            WorkKind.CrossAttention => "cross-attention",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };

    private static void Note(string what) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {what}");

    private sealed record Row(string Name, int Calls, Work Work, Action<UNet2DConditionModel, ScalarType> Body);

    /// <summary>Returns each pixel's own value: everything in the network except the work between pixels.</summary>
    private sealed class WithoutSelfAttention : INetworkHook
    {
        public static WithoutSelfAttention Instance { get; } = new();

        public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value) =>
            call.Site.Kind == AttentionKind.Self ? value.alias() : FusedAttention.Instance.Attend(call, query, key, value);
    }

    private sealed class Watching(Action<string> ended) : INetworkHook
    {
        public Tensor Attend(in AttentionCall call, Tensor query, Tensor key, Tensor value)
        {
            Tensor result = FusedAttention.Instance.Attend(call, query, key, value);
            ended(Name(call.Site.Kind == AttentionKind.Self ? WorkKind.SelfAttention : WorkKind.CrossAttention));
            return result;
        }
    }
}
