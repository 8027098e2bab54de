namespace NullTextResearch.Kernel.Documents;

/// <summary>What a cell is.</summary>
public enum CellKind
{
    /// <summary>To be run.</summary>
    Code,

    /// <summary>Prose.</summary>
    Markdown,

    /// <summary>Neither; kept as it is.</summary>
    Raw,
}
