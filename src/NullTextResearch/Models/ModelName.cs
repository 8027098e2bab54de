using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace NullTextResearch.Models;

/// <summary>A model's name on a hub: <c>owner/name</c>, or <c>owner/name@revision</c> for a revision other than main.</summary>
public sealed partial record ModelName
{
    /// <summary>The revision used if none is given.</summary>
    public const string MainRevision = "main";

    private ModelName(string owner, string name, string? revision)
    {
        Owner = owner;
        Name = name;
        Revision = revision;
    }

    /// <summary>The user or organisation that publishes it.</summary>
    public string Owner { get; }

    /// <summary>The model's name under its owner.</summary>
    public string Name { get; }

    /// <summary>A branch, a tag or a commit; null if none was given.</summary>
    public string? Revision { get; }

    /// <summary><c>owner/name</c>, without the revision.</summary>
    public string Id => $"{Owner}/{Name}";

    /// <summary>Reads <c>owner/name</c> or <c>owner/name@revision</c>.</summary>
    /// <param name="text">The text to parse.</param>
    /// <param name="name">The name, or null.</param>
    /// <returns>Whether the text is a valid hub name. A relative path of two parts may be one as well.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ModelName? name)
    {
        name = null;
        if (text is null)
            return false;
        string[] halves = text.Split('@', 2);
        string[] parts = halves[0].Split('/');
        string? revision = halves.Length == 2 ? halves[1] : null;
        if (parts.Length != 2 || !IsPart(parts[0]) || !IsPart(parts[1]) || (revision is not null && !IsRevision(revision)))
            return false;
        name = new ModelName(parts[0], parts[1], revision);
        return true;
    }

    /// <summary>Reads <c>owner/name</c> or <c>owner/name@revision</c>.</summary>
    /// <exception cref="ArgumentException">The text is not a model name.</exception>
    public static ModelName Parse(string text) =>
        TryParse(text, out ModelName? name)
            ? name
            : throw new ArgumentException(
                $"'{text}' is not a model name. Expected owner/name, such as stable-diffusion-v1-5/stable-diffusion-v1-5, or owner/name@revision.",
                nameof(text)
            );

    /// <summary>The same model at a revision.</summary>
    /// <param name="revision">A branch, a tag or a commit; null removes the current one.</param>
    /// <exception cref="ArgumentException">The text is not a valid revision name.</exception>
    public ModelName At(string? revision) =>
        revision is null || IsRevision(revision)
            ? new ModelName(Owner, Name, revision)
            : throw new ArgumentException(
                $"'{revision}' is not a revision. Expected a branch, a tag or a commit, such as main, fp16 or refs/pr/3.",
                nameof(revision)
            );

    /// <summary>The name in the form that <see cref="Parse"/> reads.</summary>
    public override string ToString() => Revision is null ? Id : $"{Id}@{Revision}";

    // Names become folder names, so the hub's restrictions apply here too: '--' separates the parts of a folder name.
    private static bool IsPart(string text) =>
        PartForm().IsMatch(text) && !text.Contains("--", StringComparison.Ordinal) && !text.Contains("..", StringComparison.Ordinal);

    private static bool IsRevision(string text) =>
        RevisionForm().IsMatch(text) && !text.Contains("..", StringComparison.Ordinal) && !text.Contains("//", StringComparison.Ordinal);

    [GeneratedRegex(@"\A[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?\z")]
    private static partial Regex PartForm();

    [GeneratedRegex(@"\A[A-Za-z0-9_](?:[A-Za-z0-9._+/-]{0,198}[A-Za-z0-9_])?\z")]
    private static partial Regex RevisionForm();
}
