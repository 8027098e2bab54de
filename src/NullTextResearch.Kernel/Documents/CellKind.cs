namespace NullTextResearch.Kernel.Documents;

/// <summary>Kind of a notebook cell.</summary>
public enum CellKind
{
    /// <summary>Code to run.</summary>
    Code,

    /// <summary>Prose.</summary>
    Markdown,

    /// <summary>Neither of them; kept unchanged.</summary>
    Raw,
}
