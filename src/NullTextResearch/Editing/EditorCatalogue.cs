namespace NullTextResearch.Editing;

/// <summary>A way to edit inverted images, as the catalogue lists it.</summary>
public sealed record EditorMethod
{
    /// <summary>Short name of options and files: lower-case letters and hyphens.</summary>
    public required string Id { get; init; }

    /// <summary>What it does, in a line.</summary>
    public required string Summary { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>Its options with default values.</summary>
    public required EditorOptions Default { get; init; }
}

/// <summary>The library's editors: command line, workbench, documents and laws take them from here.</summary>
public static class EditorCatalogue
{
    /// <summary>All of them; the first is the default.</summary>
    public static IReadOnlyList<EditorMethod> All { get; } =
    [
        new()
        {
            Id = PromptToPromptOptions.EditorId,
            Summary = "the source's attention maps in place of the target's for a share of the steps",
            Source = "Hertz et al. 2022; Mokady et al. 2023, section 3.3",
            Default = new PromptToPromptOptions(),
        },
        new()
        {
            Id = MasaCtrlOptions.EditorId,
            Summary = "the target's queries ask the source's keys and values: shapes may change, looks stay",
            Source = "Cao et al. 2023",
            Default = new MasaCtrlOptions(),
        },
        new()
        {
            Id = PlugAndPlayOptions.EditorId,
            Summary = "residual features and self-attention of the source injected: layout stays",
            Source = "Tumanyan et al. 2023",
            Default = new PlugAndPlayOptions(),
        },
        new()
        {
            Id = DiffEditOptions.EditorId,
            Summary = "only where the two prompts' predictions differ most; the rest is put back on the inversion at every step",
            Source = "Couairon et al. 2023",
            Default = new DiffEditOptions(),
        },
        new()
        {
            Id = InfEditOptions.EditorId,
            Summary = "the difference of the two predictions on the way down from the noised image; uses no inversion",
            Source = "Xu et al. 2024",
            Default = new InfEditOptions(),
        },
        new()
        {
            Id = Pix2PixZeroOptions.EditorId,
            Summary = "the target's latents moved at every step until its cross-attention is more like the source's",
            Source = "Parmar et al. 2023",
            Default = new Pix2PixZeroOptions(),
        },
        new()
        {
            Id = HEditOptions.EditorId,
            Summary = "the reconstruction's steps with their noise, each corrected along target less source prompt",
            Source = "Nguyen et al. 2025",
            Default = new HEditOptions(),
        },
    ];

    /// <summary>The list as text, two lines an editor.</summary>
    public static string ToText() => string.Join('\n', All.Select(e => $"{e.Id, -18}{e.Summary}\n{"", -18}{e.Source}"));

    /// <summary>The editor of an id.</summary>
    /// <param name="id">Such as <c>prompt-to-prompt</c>.</param>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    public static EditorMethod Find(string id) =>
        All.FirstOrDefault(e => e.Id == id)
        ?? throw new ArgumentException($"There is no editor '{id}'; there are {string.Join(", ", All.Select(e => e.Id))}.", nameof(id));
}
