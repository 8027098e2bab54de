using System.Diagnostics;
using NullTextResearch.Inversion;

namespace NullTextResearch.Experiments;

/// <summary>
/// Null-text inversion that saves its state in a run folder now and then, and resumes where an earlier process stopped. Other methods are quick, or have no
/// state to save: they run as they are.
/// </summary>
/// <param name="method">The method.</param>
/// <param name="folder">Folder of the state; borrowed.</param>
/// <param name="key">Everything that the result depends on: a state with another key is not used.</param>
public sealed class ResumableInversion(IInversion method, RunFolder folder, string key) : IInversion
{
    // The state is saved often enough that little is lost, and rarely enough that nobody waits for the disk.
    private const int StepsBetweenStates = 5;
    private static readonly TimeSpan TimeBetweenStates = TimeSpan.FromSeconds(20);

    /// <summary>Start from scratch, whatever the folder holds (default: false).</summary>
    public bool Restart { get; init; }

    /// <summary>Told of the steps that are finished when an earlier state is used; null for nobody.</summary>
    public Action<int>? Resumed { get; init; }

    /// <summary>Told of the steps that are finished when a state is saved; null for nobody.</summary>
    public Action<int>? Saved { get; init; }

    /// <summary>Told why a state that is there cannot be used; null for nobody.</summary>
    public Action<string>? Unusable { get; init; }

    /// <inheritdoc/>
    public string Name => method.Name;

    /// <inheritdoc/>
    public object Options => method.Options;

    /// <inheritdoc/>
    public int Revision => method.Revision;

    /// <inheritdoc/>
    /// <exception cref="IOException">The state cannot be saved.</exception>
    public InversionResult Invert(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (method is not NullTextInversion nullText)
            return method.Invert(problem, progress, cancellation);
        SavedNullTextState? saved = null;
        string? note = null;
        Stopwatch clock = Stopwatch.StartNew();
        if (!Restart && folder.TryLoadState(key, problem.Latents.device, out saved, out note))
            Resumed?.Invoke(saved.State.StepsDone);
        if (note is not null)
            Unusable?.Invoke(note);
        using (saved)
        {
            return nullText.Invert(problem, saved?.State, SaveNowAndThen, progress, cancellation);
        }

        void SaveNowAndThen(NullTextState state)
        {
            // The last state is followed by the result itself. On cancellation, the steps since the last saved state are worth a file too.
            bool due = state.StepsDone % StepsBetweenStates == 0 || clock.Elapsed > TimeBetweenStates || cancellation.IsCancellationRequested;
            if (!due || state.StepsDone == problem.Grid.Steps)
                return;
            folder.SaveState(key, state);
            clock.Restart();
            Saved?.Invoke(state.StepsDone);
        }
    }
}
