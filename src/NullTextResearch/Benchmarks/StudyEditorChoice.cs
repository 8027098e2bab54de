using NullTextResearch.Editing;

namespace NullTextResearch.Benchmarks;

/// <summary>An editor of a study, with the options that differ from its defaults. All of them are part of the keys of results.</summary>
public sealed record StudyEditorChoice
{
    private static readonly string[] Shared = [.. NamedOptions.Of(new StudyEditSettings()).Select(o => o.Name)];

    /// <summary>Id in <see cref="EditorCatalogue"/>.</summary>
    public required string Editor { get; init; }

    /// <summary>Name in tables; null for <see cref="Editor"/>.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// Options by name and value, as <see cref="NamedOptions"/> reads them: those of the editor's record, and for prompt-to-prompt those of
    /// <see cref="StudyEditSettings"/>; empty (default) for the defaults.
    /// </summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>Name in tables.</summary>
    public string Label => Name ?? Editor;

    /// <summary>An editor with its defaults.</summary>
    /// <param name="editor">Its id.</param>
    public static implicit operator StudyEditorChoice(string editor) => FromString(editor);

    /// <summary>An editor with its defaults.</summary>
    /// <param name="editor">Its id.</param>
    public static StudyEditorChoice FromString(string editor) => new() { Editor = editor };

    /// <summary>Names of the options that an editor takes.</summary>
    internal static IReadOnlyList<string> NamesOf(EditorMethod editor) =>
        [.. editor.Default.TakesWeights ? Shared : [], .. NamedOptions.Of(editor.Default).Select(o => o.Name)];

    /// <summary>The editor under its name in tables, and the settings of prompt-to-prompt.</summary>
    /// <exception cref="ArgumentException">There is no such editor or option, or a value is not allowed.</exception>
    internal (EditorMethod Method, StudyEditSettings Settings) Resolve()
    {
        EditorMethod method = EditorCatalogue.Find(Editor);
        ILookup<bool, KeyValuePair<string, string>> parts = Options.ToLookup(o => method.Default.TakesWeights && Shared.Contains(o.Key));
        return (
            method with
            {
                Id = Label,
                Default = NamedOptions.With(method.Default, parts[false]),
            },
            NamedOptions.With(new StudyEditSettings(), parts[true]).Checked()
        );
    }
}
