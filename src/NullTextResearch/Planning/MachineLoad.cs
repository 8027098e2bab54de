using System.Diagnostics;

namespace NullTextResearch.Planning;

/// <summary>How much of the processors other work leaves.</summary>
/// <param name="Share">Of the time that the threads asked for, the part that they got: 1 on a quiet machine.</param>
public sealed record MachineLoad(double Share)
{
    private static readonly TimeSpan Span = TimeSpan.FromMilliseconds(300);

    /// <summary>Nothing else runs.</summary>
    public static MachineLoad Quiet { get; } = new(1);

    /// <summary>Whether other work takes enough to be worth a word.</summary>
    public bool IsBusy => Share < 0.85;

    /// <summary>Keeps some threads busy for a third of a second, and compares the processor time that they got with the time that passed.</summary>
    /// <param name="threads">Threads that the work will have.</param>
    public static MachineLoad Measure(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        long start = Stopwatch.GetTimestamp();
        Thread[] busy = [.. Enumerable.Range(0, Math.Min(threads, Environment.ProcessorCount)).Select(_ => new Thread(Spin) { IsBackground = true })];
        foreach (Thread thread in busy)
            thread.Start();
        foreach (Thread thread in busy)
            thread.Join();
        double asked = busy.Length * Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new MachineLoad(Math.Clamp((Environment.CpuUsage.TotalTime - before).TotalSeconds / asked, 0.01, 1));

        void Spin()
        {
            while (Stopwatch.GetElapsedTime(start) < Span)
                Thread.SpinWait(1000);
        }
    }
}
