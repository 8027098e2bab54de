using System.Diagnostics;
using System.Globalization;

namespace NullTextResearch.TestKit;

/// <summary>A kind of file and the code that reads it.</summary>
/// <param name="Name">Name in the report.</param>
/// <param name="Damage">Makes a damaged file.</param>
/// <param name="Read">Writes it where the reader looks, and reads it.</param>
/// <param name="IsDocumented">
/// Whether an exception is one that the reader promises for a damaged file; judges the message too, where there is something to hold it to.
/// </param>
/// <param name="AllocationLimit">Bytes that one case may allocate for a file of so many bytes.</param>
public sealed record FuzzFormat(
    string Name,
    Func<FileMutator, Mutant> Damage,
    Action<Mutant> Read,
    Func<Exception, bool> IsDocumented,
    Func<long, long> AllocationLimit
);

/// <summary>What became of one format's damaged files.</summary>
public sealed record FuzzOutcome
{
    /// <summary>Name of the format.</summary>
    public required string Name { get; init; }

    /// <summary>Files tried.</summary>
    public int Tried { get; set; }

    /// <summary>Files that were read: the damage changed nothing that matters, or made another sound file.</summary>
    public int Accepted { get; set; }

    /// <summary>Files refused as documented.</summary>
    public int Documented { get; set; }

    /// <summary>Everything else, one line a case: an exception that nobody promised, or more memory than allowed.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>The slowest case, in milliseconds; reported, never judged.</summary>
    public double SlowestMs { get; set; }

    /// <summary>The most that one case allocated, in bytes.</summary>
    public long PeakAllocated { get; set; }

    /// <summary>One line of the report.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{Name, -28} tried {Tried, 7:#,0}  accepted {Accepted, 6:#,0}  documented {Documented, 7:#,0}  faults {Faults.Count, 4}  slowest "
                + $"{SlowestMs, 6:0.0} ms  most memory of a case {PeakAllocated / 1e6, 5:0.0} MB"
        );
}

/// <summary>Reads damaged files, and holds the readers to what they document.</summary>
public static class FuzzCampaign
{
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(10);

    /// <summary>Runs a format over a number of seeds, on a thread of its own.</summary>
    /// <param name="format">The format.</param>
    /// <param name="count">How many files; their seeds follow each other.</param>
    /// <param name="firstSeed">The first seed.</param>
    /// <exception cref="TimeoutException">A case did not end. Only hangs are caught: ten seconds are a thousand times what a case takes.</exception>
    public static FuzzOutcome Run(FuzzFormat format, int count, int firstSeed = 0)
    {
        FuzzOutcome outcome = new() { Name = format.Name };
        long started = Stopwatch.GetTimestamp();
        string current = "";
        Exception? broken = null;
        Thread worker = new(() =>
        {
            try
            {
                for (int seed = firstSeed; seed < firstSeed + count; seed++)
                {
                    Mutant mutant = format.Damage(new FileMutator(seed));
                    Volatile.Write(ref current, $"seed {seed}: {mutant.What}");
                    Volatile.Write(ref started, Stopwatch.GetTimestamp());
                    Try(format, mutant, outcome, current);
                }
            }
            catch (Exception e)
            {
                // A mistake of the campaign itself: it belongs to the test, which waits.
                broken = e;
            }
        })
        {
            IsBackground = true,
        };
        worker.Start();
        while (!worker.Join(250))
        {
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref started)) > Hang)
                throw new TimeoutException($"{format.Name}, {Volatile.Read(ref current)}: not done after {Hang.TotalSeconds:0} s.");
        }
        return broken is null ? outcome : throw new InvalidOperationException($"{format.Name}, {current}: the campaign itself failed.", broken);
    }

    private static void Try(FuzzFormat format, Mutant mutant, FuzzOutcome outcome, string what)
    {
        long before = GC.GetAllocatedBytesForCurrentThread(),
            clock = Stopwatch.GetTimestamp();
        outcome.Tried++;
        try
        {
            format.Read(mutant);
            outcome.Accepted++;
        }
        catch (Exception e) when (format.IsDocumented(e))
        {
            outcome.Documented++;
        }
        catch (Exception e)
        {
            outcome.Faults.Add(
                $"{what}: {e.GetType().FullName}: {e.Message.ReplaceLineEndings(" ")} "
                    + $"{e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("NullTextResearch", StringComparison.Ordinal))?.Trim()}"
            );
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        outcome.SlowestMs = Math.Max(outcome.SlowestMs, Stopwatch.GetElapsedTime(clock).TotalMilliseconds);
        outcome.PeakAllocated = Math.Max(outcome.PeakAllocated, allocated);
        if (allocated > format.AllocationLimit(mutant.Bytes.Length))
            outcome.Faults.Add($"{what}: allocated {allocated:#,0} bytes for a file of {mutant.Bytes.Length:#,0}");
    }
}
