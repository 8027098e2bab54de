using System.Runtime.InteropServices;

namespace NullTextResearch.Cli.Running;

/// <summary>Batch systems announce the end of a job's time by a signal of the user's choice; USR1 is the usual one.</summary>
internal static class AnnouncedStop
{
    /// <summary>Cancels work at USR1, until the result is disposed.</summary>
    /// <param name="stop">What is cancelled.</param>
    /// <returns>Null where there is no such signal.</returns>
    public static IDisposable? On(CancellationTokenSource stop) =>
        OperatingSystem.IsWindows()
            ? null
            : PosixSignalRegistration.Create(
                (PosixSignal)(OperatingSystem.IsMacOS() ? 30 : 10),
                signal =>
                {
                    signal.Cancel = true;
                    stop.Cancel();
                }
            );
}
