using NullTextResearch.Editing;
using NullTextResearch.Inversion;

namespace NullTextResearch.Experiments;

/// <summary>
/// A peculiarity of a method's original code that is an option here, off by default, together with a use in which it can be measured: a method, its path, an
/// editor, and options for both variants.
/// </summary>
/// <param name="Option">The option by name, with the prefix <c>path.</c> or <c>editor.</c> where it belongs to those.</param>
/// <param name="Method">Id of the method.</param>
/// <param name="Path">Id of its path; null for the method's own.</param>
/// <param name="Editor">Id of the editor.</param>
public sealed record Quirk(string Option, string Method, string? Path = null, string Editor = PromptToPromptOptions.EditorId)
{
    private const string OfEditor = "editor.";

    /// <summary>The value of <see cref="Option"/> that gives the original code's behaviour (default true).</summary>
    public string Value { get; init; } = "true";

    /// <summary>An option set in both variants, without which the quirk has no effect; null (default) for none.</summary>
    public KeyValuePair<string, string>? With { get; init; }

    /// <summary>A change of the editor's options in both variants that has no name, in words and as code; null (default) for none.</summary>
    internal (string Words, Func<EditorOptions, EditorOptions> Change)? Prepared { get; init; }

    /// <summary>What it is measured with, in words.</summary>
    internal string Use =>
        Method
        + (Path is { } path ? $"@{path}" : "")
        + (With is { } with ? $", {with.Key} = {with.Value}" : "")
        + $", {Editor}"
        + (Prepared is { } prepared ? $" {prepared.Words}" : "");

    /// <summary>The entry of the catalogues whose option it is.</summary>
    public string Owner => Option.StartsWith(OfEditor, StringComparison.Ordinal) ? Editor : Path ?? Method;

    /// <summary>Every quirk that is an option.</summary>
    public static IReadOnlyList<Quirk> All { get; } =
    [
        new("path.published-shifts", "npi", "renoise"),
        new("path.published-reference", "npi", "renoise"),
        new("path.published-slope", "npi", "gnri"),
        new("path.published-count", "npi", "gnri"),
        new("path.published-prior", "npi", "gnri"),
        new("path.weight-decay", "npi", "spdinv") { Value = "0.01" },
        new("path.published-levels", "npi", "pix2pix-zero"),
        new("path.published-shifts", "npi", "pix2pix-zero"),
        new("path.published-scale", "npi", "pix2pix-zero"),
        new("published-eta", "edit-friendly") { With = new("eta", "0.5") },
        new("published-last-step", "edit-friendly"),
        new("published-shrinking", "npi-proximal"),
        new("shared-threshold", "npi-proximal"),
        new("editor.published-halves", "ddim", Editor: "pix2pix-zero"),
        new("editor.published-background", "ddim", Editor: "diffedit"),
        new("editor.published-scale", "ddim", Editor: "diffedit"),
        new("editor.published-windows", "edit-friendly", Editor: "h-edit"),
        new("editor.published-source-row", "edit-friendly", Editor: "h-edit")
        {
            Prepared = ("without prompt-to-prompt", editor => (HEditOptions)editor with { PromptToPrompt = null }),
        },
        new("editor.published-eta", "ddim", Editor: "infedit") { With = new("editor.eta", "0.5") },
    ];

    /// <summary>The method and the editor, with or without the quirk.</summary>
    internal (IInversion Method, EditorOptions Editor) Create(bool quirky, int innerSteps)
    {
        List<KeyValuePair<string, string>> options = [];
        if (With is { } both)
            options.Add(both);
        if (quirky)
            options.Add(new(Option, Value));
        KeyValuePair<string, string>[] ofEditor =
        [
            .. options.Where(o => o.Key.StartsWith(OfEditor, StringComparison.Ordinal)).Select(o => KeyValuePair.Create(o.Key[OfEditor.Length..], o.Value)),
        ];
        MethodRequest request = new() { InnerSteps = innerSteps, Options = [.. options.Where(o => !o.Key.StartsWith(OfEditor, StringComparison.Ordinal))] };
        EditorOptions editor = EditorCatalogue.Find(Editor).Default;
        return (InversionCatalogue.Create(Method, Path, request), NamedOptions.With(Prepared?.Change(editor) ?? editor, ofEditor));
    }
}
