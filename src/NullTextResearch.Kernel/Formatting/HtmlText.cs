namespace NullTextResearch.Kernel.Formatting;

/// <summary>HTML text, as returned by <see cref="CellFunctions.HTML"/>.</summary>
/// <param name="Content">Markup, shown as it is.</param>
public sealed record HtmlText(string Content)
{
    /// <summary>The markup.</summary>
    public override string ToString() => Content;
}
