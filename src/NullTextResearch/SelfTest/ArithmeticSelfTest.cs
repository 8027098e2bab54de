using NullTextResearch.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.SelfTest;

/// <summary>
/// Tests whether this processor and this libtorch correctly compute the operations that optimisation and training use: convolutions, matrix products, attention
/// and norms. Results and gradients are compared with float64 computed by another path. A machine may fail: see <see cref="Layers.Convolution"/>.
/// </summary>
public static class ArithmeticSelfTest
{
    /// <summary>Environment variable; <c>off</c> lets an optimisation run whatever the test's outcome.</summary>
    public const string Variable = "NULLTEXT_SELF_TEST";

    private static readonly Lazy<ArithmeticGuard> Guard = new(() => new ArithmeticGuard(UserCache.Folder("self-test"), Short));

    /// <summary>Precisions that networks run in.</summary>
    public static IReadOnlyList<ScalarType> Dtypes { get; } = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16];

    /// <summary>Tests every operation; takes a few seconds per precision.</summary>
    /// <param name="dtype">Precision.</param>
    /// <param name="threads">Number of libtorch threads during the test; the current number is restored at the end.</param>
    /// <param name="cancellation">Checked between operations.</param>
    /// <returns>The checks, in a fixed order.</returns>
    public static IEnumerable<ArithmeticCheck> Run(ScalarType dtype, int threads, CancellationToken cancellation = default) =>
        Run(TestedOperation.All, dtype, threads, cancellation);

    /// <summary>
    /// Throws if the machine computes wrong results in this precision with libtorch's current number of threads. The first call runs the short test (under two
    /// seconds); the result is cached per processor, libtorch and library version.
    /// </summary>
    /// <param name="dtype">Precision of the network.</param>
    /// <param name="device">Where the network runs; only the CPU is tested.</param>
    /// <exception cref="WrongArithmeticException">An operation computes wrong results, and <see cref="Variable"/> is not <c>off</c>.</exception>
    public static void Require(ScalarType dtype, Device device)
    {
        if (device.type == DeviceType.CPU && Dtypes.Contains(dtype) && !IsOff)
            Guard.Value.Require(dtype, get_num_threads());
    }

    /// <summary>
    /// Whether the machine computes correctly in this precision with libtorch's current number of threads. Runs the short test if the result is not cached.
    /// </summary>
    /// <param name="dtype">Precision.</param>
    /// <param name="device">Device; anything other than the CPU counts as correct.</param>
    public static bool Passes(ScalarType dtype, Device device) =>
        device.type != DeviceType.CPU || !Dtypes.Contains(dtype) || Guard.Value.WrongOf(dtype, get_num_threads()).Count == 0;

    /// <summary>Whether <see cref="Variable"/> is <c>off</c>, so that the test's outcome is ignored.</summary>
    public static bool IsOff => string.Equals(Environment.GetEnvironmentVariable(Variable), "off", StringComparison.OrdinalIgnoreCase);

    private static IReadOnlyList<ArithmeticCheck> Short(ScalarType dtype, int threads) =>
        [.. Run(TestedOperation.All.Where(o => o.IsShort).Select(o => o with { Plain = null }), dtype, threads, default)];

    internal static IEnumerable<ArithmeticCheck> Run(IEnumerable<TestedOperation> operations, ScalarType dtype, int threads, CancellationToken cancellation)
    {
        foreach (TestedOperation operation in operations)
        {
            cancellation.ThrowIfCancellationRequested();
            int before = get_num_threads();
            try
            {
                set_num_threads(threads);
                yield return Check(operation, dtype, threads);
            }
            finally
            {
                set_num_threads(before);
            }
        }
    }

    private static ArithmeticCheck Check(TestedOperation operation, ScalarType dtype, int threads)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = enable_grad();
        using Generator generator = new(20);
        // Weights are scaled to keep values near one, as trained weights do. Inputs are rounded first, so their rounding does not count as an error.
        Tensor[] inputs =
        [
            .. operation.Shapes.Select(shape => randn(shape, ScalarType.Float32, generator: generator).Times(Scale(shape, operation)).to(dtype)),
        ];
        Tensor[] Leaves(ScalarType type) => [.. inputs.Select(t => t.to(type, copy: true).requires_grad_(true))];

        Tensor[] exact = Leaves(ScalarType.Float64);
        Tensor expected = operation.Reference(exact);
        Tensor upstream = randn(expected.shape, ScalarType.Float32, generator: generator).to(dtype);
        Tensor[] expectedGradients = [.. autograd.grad([expected], exact, [upstream.to(ScalarType.Float64)])];

        (double result, double gradient) = Errors(operation.Own);
        double? plain = null;
        if (operation.Plain is not null)
        {
            (double plainResult, double plainGradient) = Errors(operation.Plain);
            plain = Worse(plainResult, plainGradient);
        }
        return new ArithmeticCheck(operation.Name, dtype, threads, result, gradient, plain);

        (double Result, double Gradient) Errors(Func<Tensor[], Tensor> compute)
        {
            Poison();
            Tensor alone;
            using (no_grad())
                alone = compute(inputs);
            Tensor[] leaves = Leaves(dtype);
            Tensor recorded = compute(leaves);
            Shape.RequireSame(recorded, expected);
            Poison();
            Tensor[] gradients = [.. autograd.grad([recorded], leaves, [upstream])];
            return (Worse(Distance(alone, expected), Distance(recorded, expected)), gradients.Zip(expectedGradients, Distance).Aggregate(Worse));
        }
    }

    private static double Scale(long[] shape, TestedOperation operation) =>
        shape.Length >= 2 && !ReferenceEquals(shape, operation.Shapes[0]) && operation.Shapes.Length == 3 && operation.Shapes[2].Length == 1
            ? 1 / Math.Sqrt(shape.Skip(1).Aggregate(1L, (a, b) => a * b))
            : 1;

    /// <summary>Leaves NaN in memory that is about to be reused, which exposes operations that read uninitialised memory.</summary>
    private static void Poison()
    {
        using IDisposable grad = no_grad();
        Tensor[] blocks = [.. Enumerable.Range(10, 11).Select(power => zeros([1L << power], ScalarType.Float32).PlusInPlace(double.NaN))];
        foreach (Tensor block in blocks)
            block.Dispose();
    }

    private static double Distance(Tensor actual, Tensor expected)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        return actual.to(ScalarType.Float64).sub(expected).norm().div(expected.norm()).item<double>();
    }

    // Math.Max propagates NaN, which is the worst outcome.
    private static double Worse(double a, double b) => Math.Max(a, b);
}
