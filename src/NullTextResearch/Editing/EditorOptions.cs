namespace NullTextResearch.Editing;

/// <summary>
/// Options of an editor. They say which editor it is and hold everything that its edits depend on besides the prompts. Each editor has its own record;
/// <see cref="EditorCatalogue"/> lists them.
/// </summary>
public abstract record EditorOptions
{
    /// <summary>Id of the editor in the catalogue.</summary>
    public abstract string Id { get; }

    /// <summary>Whether the targets of an inversion that optimised the prompt's embedding reuse its rows for the words that both prompts share.</summary>
    internal virtual bool ReusesOptimisedWords => true;

    /// <summary>Creates the director of one run.</summary>
    /// <param name="problem">Images and edits; borrowed for the director's lifetime.</param>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, the editor or the inversion.</exception>
    public abstract IEditDirector Direct(EditProblem problem);
}
