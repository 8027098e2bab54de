namespace NullTextResearch.Editing;

/// <summary>
/// Options of an editor, and the editor as data: which one it is, and everything that its edits depend on beside the prompts. Each editor has a record
/// of its own; the catalogue lists them (<see cref="EditorCatalogue"/>).
/// </summary>
public abstract record EditorOptions
{
    /// <summary>Id of the editor in the catalogue.</summary>
    public abstract string Id { get; }

    /// <summary>Makes what directs one run.</summary>
    /// <param name="problem">Images and edits; borrowed as long as the director lives.</param>
    /// <exception cref="ArgumentException">An edit does not fit its prompts, the editor or the inversion.</exception>
    public abstract IEditDirector Direct(EditProblem problem);
}
