using System.Text.Json.Serialization;

namespace NullTextResearch.Editing;

/// <summary>
/// Options of an editor. They say which editor it is and hold everything that its edits depend on besides the prompts. Each editor has its own record;
/// <see cref="EditorCatalogue"/> lists them.
/// </summary>
public abstract record EditorOptions
{
    /// <summary>Id of the editor in the catalogue.</summary>
    public abstract string Id { get; }

    /// <summary>
    /// Raised when a change of the code changes the numbers of the same options; 0 at first. It is part of the options, and so of the key of every stored
    /// result: older results are then computed anew.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public virtual int Revision => 0;

    /// <summary>Whether the targets of an inversion that optimised the prompt's embedding reuse its rows for the words that both prompts share.</summary>
    internal virtual bool ReusesOptimisedWords => true;

    /// <summary>Whether factors of words (<see cref="ReWeight"/>) change its edits; with others, an edit that asks for them is refused.</summary>
    internal virtual bool TakesWeights => true;

    /// <summary>Creates the director of one run.</summary>
    /// <param name="problem">Images and edits; borrowed for the director's lifetime.</param>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, the editor or the inversion.</exception>
    public abstract IEditDirector Direct(EditProblem problem);
}
