using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Training;

/// <summary>AdamW with gradient clipping and an exponential moving average of the weights, on flat vectors.</summary>
internal sealed class FlatAdamW : IDisposable
{
    // Small enough that six such chunks stay in a core's cache through all operations of a step.
    private const long ChunkOnCpu = 1 << 15;
    private readonly FlatParameters _parameters;
    private readonly WorkerPool _pool;

    public FlatAdamW(FlatParameters parameters, WorkerPool pool, AdamWSettings settings)
    {
        _parameters = parameters;
        _pool = pool;
        Settings = settings;
        using IDisposable grad = no_grad();
        First = zeros_like(parameters.Values).Keep();
        Second = zeros_like(parameters.Values).Keep();
        Average = parameters.Values.Snapshot();
    }

    public AdamWSettings Settings { get; }

    public Tensor First { get; }

    public Tensor Second { get; }

    /// <summary>Moving average of the weights, [n].</summary>
    public Tensor Average { get; }

    /// <summary>Applies the mean of the gradients.</summary>
    /// <param name="gradients">One vector [n] per part of the batch, all parts of equal weight; summed in this order.</param>
    /// <param name="step">Steps done before this one.</param>
    /// <param name="rate">Learning rate.</param>
    /// <returns>Norm of the mean gradient before clipping.</returns>
    public double Step(IReadOnlyList<Tensor> gradients, long step, double rate)
    {
        long n = _parameters.Count;
        long chunk = _parameters.Values.device_type == DeviceType.CPU ? ChunkOnCpu : n;
        int chunks = (int)((n + chunk - 1) / chunk);
        double[] squares = new double[chunks];
        _pool.Run(
            chunks,
            (_, c) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                Tensor total = Part(gradients[0], c);
                for (int i = 1; i < gradients.Count; i++)
                    total.PlusInPlace(Part(gradients[i], c));
                if (gradients.Count > 1)
                    total.TimesInPlace(1.0 / gradients.Count);
                squares[c] = total.dot(total).item<float>();
            }
        );
        double norm = Math.Sqrt(squares.Sum());
        if (!double.IsFinite(norm))
            return norm;
        double clip = Math.Min(1, Settings.ClipNorm / (norm + 1e-6));
        double correction1 = 1 - Math.Pow(Settings.Beta1, step + 1),
            correction2 = 1 - Math.Pow(Settings.Beta2, step + 1);
        double keep = Math.Min(Settings.AverageDecay, (1.0 + step) / (10.0 + step));
        _pool.Run(
            chunks,
            (_, c) =>
            {
                using IDisposable grad = no_grad();
                using DisposeScope scope = NewDisposeScope();
                Tensor g = Part(gradients[0], c),
                    m = Part(First, c),
                    v = Part(Second, c),
                    p = Part(_parameters.Values, c);
                if (clip < 1)
                    g.TimesInPlace(clip);
                m.lerp_(g, 1 - Settings.Beta1);
                v.TimesInPlace(Settings.Beta2).PlusProductInPlace(g, g, 1 - Settings.Beta2);
                Tensor scale = v.sqrt().OverInPlace(Math.Sqrt(correction2)).PlusInPlace(Settings.Epsilon);
                p.TimesInPlace(1 - rate * Settings.WeightDecay).PlusQuotientInPlace(m, scale, -rate / correction1);
                Part(Average, c).lerp_(p, 1 - keep);
            }
        );
        return norm;

        Tensor Part(Tensor whole, int c) => whole.narrow(0, c * chunk, Math.Min(chunk, n - c * chunk));
    }

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        Average.Dispose();
    }
}

/// <summary>Constants of the optimiser.</summary>
internal sealed record AdamWSettings
{
    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.99;

    public double Epsilon { get; init; } = 1e-8;

    public double WeightDecay { get; init; } = 0.01;

    public double ClipNorm { get; init; } = 1;

    public double AverageDecay { get; init; } = 0.999;
}
