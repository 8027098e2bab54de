using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// The kernel compiles calls of this class into every loop and every method of a cell, so that a stop reaches code that neither waits nor prints. Not meant
/// to be called directly.
/// </summary>
/// <remarks>
/// .NET can no longer stop a thread from outside: on Linux, .NET 10 ends the whole process when it aborts a thread inside
/// an ordinary call ("terminate called after throwing an instance of 'PAL_SEHException'", measured on 10.0.12).
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class Checkpoint
{
    // One cell runs at a time.
    private static CellContext? _stopping;

    /// <summary>Does nothing unless the cell on this thread is being stopped.</summary>
    /// <exception cref="OperationCanceledException">The cell is being stopped.</exception>
    [DebuggerHidden]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pass()
    {
        if (Volatile.Read(ref _stopping) is { } cell)
            cell.StopAtCheckpoint();
    }

    /// <summary>Marks where a cell's own code begins if a compiler ran on its thread before.</summary>
    /// <exception cref="OperationCanceledException">The cell is being stopped.</exception>
    [DebuggerHidden]
    public static void Begin()
    {
        CellContext.OfThisFlow?.AllowWaking();
        Pass();
    }

    /// <summary>From now on the cell's thread ends at the next checkpoint.</summary>
    internal static void Close(CellContext cell) => Volatile.Write(ref _stopping, cell);

    /// <summary>The cell has ended.</summary>
    internal static void Open(CellContext cell) => Interlocked.CompareExchange(ref _stopping, null, cell);
}
