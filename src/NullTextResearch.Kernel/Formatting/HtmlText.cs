namespace NullTextResearch.Kernel.Formatting;

/// <summary>Text that is HTML; what <see cref="CellFunctions.HTML"/> returns.</summary>
/// <param name="Content">Markup, shown as it is.</param>
public sealed record HtmlText(string Content)
{
    /// <summary>The markup.</summary>
    public override string ToString() => Content;
}
