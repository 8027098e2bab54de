using System.Diagnostics;

namespace NullTextResearch.Planning;

/// <summary>How much processor time other work leaves.</summary>
/// <param name="Share">Share of the requested time that the threads got: 1 on an idle machine.</param>
public sealed record MachineLoad(double Share)
{
    private static readonly TimeSpan Span = TimeSpan.FromMilliseconds(300);

    /// <summary>No other work is running.</summary>
    public static MachineLoad Quiet { get; } = new(1);

    /// <summary>Whether other work takes enough to be worth mentioning.</summary>
    public bool IsBusy => Share < 0.85;

    /// <summary>Keeps some threads busy for a third of a second, and compares their processor time with the elapsed time.</summary>
    /// <param name="threads">Number of threads that the work will use.</param>
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
