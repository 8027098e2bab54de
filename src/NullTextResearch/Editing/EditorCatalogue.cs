using NullTextResearch.Inversion;

namespace NullTextResearch.Editing;

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
            Memory = "the source's attention maps of one evaluation; their sums, with a local blend",
            EqualTo = new OriginalCode("PnPInversion's code", "tiny_algo_10_f64.safetensors", 1e-6) { Tensors = "p2p." },
            Default = new PromptToPromptOptions(),
        },
        new()
        {
            Id = MasaCtrlOptions.EditorId,
            Summary = "the target's queries ask the source's keys and values: shapes may change, looks stay",
            Source = "Cao et al. 2023",
            Memory = "nothing",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/masactrl_f32.safetensors", 5e-4),
            Default = new MasaCtrlOptions(),
        },
        new()
        {
            Id = PlugAndPlayOptions.EditorId,
            Summary = "residual features and self-attention of the source injected: layout stays",
            Source = "Tumanyan et al. 2023",
            Memory = "nothing",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/pnp_f32.safetensors", 2e-4),
            Default = new PlugAndPlayOptions(),
        },
        new()
        {
            Id = DiffEditOptions.EditorId,
            Summary = "only where the two prompts' predictions differ most; the rest is put back on the inversion at every step",
            Source = "Couairon et al. 2023",
            Memory = "1 mask",
            EqualTo = new OriginalCode("diffusers' community pipeline", "methods/diffedit_f32.safetensors", 2e-4),
            Default = new DiffEditOptions(),
        },
        new()
        {
            Id = InfEditOptions.EditorId,
            Summary = "the difference of the two predictions on the way down from the noised image; uses no inversion",
            Source = "Xu et al. 2024",
            Memory = "T latents",
            EqualTo = new OriginalCode("the authors' code", "methods/infedit_f32.safetensors", 5e-5),
            Default = new InfEditOptions(),
        },
        new()
        {
            Id = Pix2PixZeroOptions.EditorId,
            Summary = "the target's latents moved at every step until its cross-attention is more like the source's",
            Source = "Parmar et al. 2023",
            Memory = "the source's attention maps of one evaluation, one gradient through the U-Net",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/pix2pix_zero_f32.safetensors", 2e-4),
            Default = new Pix2PixZeroOptions(),
        },
        new()
        {
            Id = HEditOptions.EditorId,
            Summary = "the reconstruction's steps with their noise, each corrected along target less source prompt",
            Source = "Nguyen et al. 2025",
            Memory = "as prompt-to-prompt",
            EqualTo = new OriginalCode("the authors' code", "methods/hedit_f32.safetensors", 5e-3),
            Default = new HEditOptions(),
        },
    ];

    /// <summary>The list as text, three lines an editor.</summary>
    public static string ToText() =>
        string.Join('\n', All.Select(e => $"{e.Id, -18}{e.Summary}\n{"", -18}{e.Source}\n{"", -18}memory: {e.Memory}; equal to: {e.EqualTo}"));

    /// <summary>The editor of an id.</summary>
    /// <param name="id">Such as <c>prompt-to-prompt</c>.</param>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    public static EditorMethod Find(string id) =>
        All.FirstOrDefault(e => e.Id == id)
        ?? throw new ArgumentException($"There is no editor '{id}'; there are {string.Join(", ", All.Select(e => e.Id))}.", nameof(id));
}
