using NullTextResearch.Inversion;

namespace NullTextResearch.Editing;

/// <summary>The library's editors; the command line, the workbench, the documentation and the tests read this list.</summary>
public static class EditorCatalogue
{
    /// <summary>All editors; the first is the default.</summary>
    public static IReadOnlyList<EditorMethod> All { get; } =
    [
        new()
        {
            Id = PromptToPromptOptions.EditorId,
            Summary = "replaces the target's attention maps by the source's for a share of the steps",
            Source = "Hertz et al. 2022; Mokady et al. 2023, section 3.3",
            Memory = "the source's attention maps of one evaluation; their sums, with a local blend",
            Cost = steps => new(4 * steps, 0),
            CostFormula = "4 T",
            EqualTo = new OriginalCode("PnPInversion's code", "tiny_algo_10_f64.safetensors", 1e-6) { Tensors = "p2p." },
            Default = new PromptToPromptOptions(),
        },
        new()
        {
            Id = MasaCtrlOptions.EditorId,
            Summary = "the target's queries attend to the source's keys and values: shapes may change, appearance stays",
            Source = "Cao et al. 2023",
            Memory = "nothing",
            Cost = steps => new(4 * steps, 0),
            CostFormula = "4 T",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/masactrl_f32.safetensors", 5e-4),
            Default = new MasaCtrlOptions(),
        },
        new()
        {
            Id = PlugAndPlayOptions.EditorId,
            Summary = "injects residual features and self-attention of the source: layout stays",
            Source = "Tumanyan et al. 2023",
            Memory = "nothing",
            Cost = steps => new(3 * steps, 0),
            CostFormula = "3 T",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/pnp_f32.safetensors", 2e-4),
            Default = new PlugAndPlayOptions(),
        },
        new()
        {
            Id = DiffEditOptions.EditorId,
            Summary = "edits only where the two prompts' predictions differ most; the rest is reset to the inversion at every step",
            Source = "Couairon et al. 2023",
            Memory = "1 mask",
            Cost = steps => new(20 + (2 * (int)(0.8 * steps)), 0),
            CostFormula = "20 + 2 T, for the 80 % of the steps that it takes",
            EqualTo = new OriginalCode("diffusers' community pipeline", "methods/diffedit_f32.safetensors", 2e-4),
            Default = new DiffEditOptions(),
        },
        new()
        {
            Id = InfEditOptions.EditorId,
            Summary = "adds the difference of the two predictions while denoising the noised image; needs no inversion",
            Source = "Xu et al. 2024",
            Memory = "T latents",
            Cost = steps => new(4 * steps, 0),
            CostFormula = "4 T",
            EqualTo = new OriginalCode("the authors' code", "methods/infedit_f32.safetensors", 5e-5),
            Default = new InfEditOptions(),
        },
        new()
        {
            Id = Pix2PixZeroOptions.EditorId,
            Summary = "moves the target's latents at every step so that its cross-attention comes closer to the source's",
            Source = "Parmar et al. 2023",
            Memory = "the source's attention maps of one evaluation, one gradient through the U-Net",
            Cost = steps => new(8 * steps, 2 * steps),
            CostFormula = "8 T, 2 T with a backward pass",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/pix2pix_zero_f32.safetensors", 2e-4),
            Default = new Pix2PixZeroOptions(),
        },
        new()
        {
            Id = EmbeddingInterpolationOptions.EditorId,
            Summary = "mixes the image's embedding with the target prompt's; on textual-pivot this is prompt tuning inversion",
            Source = "Dong et al. 2023",
            Memory = "T embeddings per target",
            Cost = steps => new(4 * steps, 0),
            CostFormula = "4 T",
            EqualTo = OriginalCode.None,
            Default = new EmbeddingInterpolationOptions(),
        },
        new()
        {
            Id = HEditOptions.EditorId,
            Summary = "the reconstruction's steps with their noise, each corrected by target minus source prediction",
            Source = "Nguyen et al. 2025",
            Memory = "as prompt-to-prompt",
            Cost = steps => new(7 * (steps - (int)(0.3 * steps)), 0),
            CostFormula = "7 T for the 70 % of the steps that are not skipped",
            EqualTo = new OriginalCode("the authors' code", "methods/hedit_f32.safetensors", 5e-3),
            Default = new HEditOptions(),
        },
    ];

    /// <summary>The list as text, three lines per editor.</summary>
    public static string ToText() =>
        string.Join(
            '\n',
            All.Select(e => $"{e.Id, -18}{e.Summary}\n{"", -18}{e.Source}\n{"", -18}{e.CostFormula} evaluations; memory: {e.Memory}; equal to: {e.EqualTo}")
        );

    /// <summary>Finds an editor by its id.</summary>
    /// <param name="id">Such as <c>prompt-to-prompt</c>.</param>
    /// <exception cref="ArgumentException">There is no such editor; the message lists the available ones.</exception>
    public static EditorMethod Find(string id) =>
        All.FirstOrDefault(e => e.Id == id)
        ?? throw new ArgumentException($"There is no editor '{id}'; available: {string.Join(", ", All.Select(e => e.Id))}.", nameof(id));
}
