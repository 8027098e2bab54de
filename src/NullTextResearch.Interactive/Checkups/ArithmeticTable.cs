using System.Globalization;
using NullTextResearch.SelfTest;
using NullTextResearch.Tensors;
using TorchSharp;

namespace NullTextResearch.Interactive.Checkups;

/// <summary>The arithmetic self-test as a table: one line per operation, one column per precision and number of threads.</summary>
internal sealed class ArithmeticTable
{
    private const int ColumnWidth = 17;

    private ArithmeticTable(IReadOnlyList<ArithmeticCheck> checks) => Checks = checks;

    /// <summary>A table without checks.</summary>
    public static ArithmeticTable Empty { get; } = new([]);

    /// <summary>All results.</summary>
    public IReadOnlyList<ArithmeticCheck> Checks { get; }

    /// <summary>Runs the test in every precision, with one thread and with all available threads.</summary>
    /// <exception cref="OperationCanceledException">The test was cancelled.</exception>
    public static ArithmeticTable Make(int allThreads, CancellationToken cancel)
    {
        if (ArithmeticSelfTest.IsOff)
            return Empty;
        int[] threads = allThreads > 1 ? [1, allThreads] : [1];
        return new([.. threads.SelectMany(n => ArithmeticSelfTest.Dtypes.SelectMany(dtype => ArithmeticSelfTest.Run(dtype, n, cancel)))]);
    }

    /// <summary>Prints the table; prints nothing if there are no checks.</summary>
    public void Write(TextWriter to)
    {
        if (Checks.Count == 0)
            return;
        (torch.ScalarType Dtype, int Threads, double Limit)[] columns = [.. Checks.Select(c => (c.Dtype, c.Threads, c.Limit)).Distinct()];
        int width = Checks.Max(c => c.Operation.Length) + 2;
        to.WriteLine();
        to.WriteLine(
            "Arithmetic: relative error of result and gradient against float64. ok: right; around: right, but libtorch alone is wrong here; WRONG: error "
                + "exceeds the limit."
        );
        IEnumerable<string> heads = columns.Select(c => $"{Precision.NameOf(c.Dtype)}, {c.Threads} {(c.Threads == 1 ? "thread" : "threads")}");
        to.WriteLine($"{new string(' ', width + 8)}{string.Concat(heads.Select(h => h.PadRight(ColumnWidth)))}".TrimEnd());
        to.WriteLine($"        {"limit".PadRight(width)}{string.Concat(columns.Select(c => Number(c.Limit).PadRight(ColumnWidth)))}".TrimEnd());
        foreach (IGrouping<string, ArithmeticCheck> line in Checks.GroupBy(c => c.Operation))
        {
            ArithmeticVerdict worst = line.Max(c => c.Verdict);
            string mark = worst switch
            {
                ArithmeticVerdict.Right => "ok",
                ArithmeticVerdict.WorkedAround => "around",
                _ => "WRONG",
            };
            IEnumerable<string> cells = line.Select(c =>
                $"{Number(c.ResultError)} {Number(c.GradientError)}{(c.Verdict == ArithmeticVerdict.Wrong ? " !" : "")}"
            );
            to.WriteLine($"{mark, -8}{line.Key.PadRight(width)}{string.Concat(cells.Select(c => c.PadRight(ColumnWidth)))}".TrimEnd());
        }
        to.WriteLine();
    }

    private static string Number(double value) => value.ToString("0.0e+0", CultureInfo.InvariantCulture);
}
