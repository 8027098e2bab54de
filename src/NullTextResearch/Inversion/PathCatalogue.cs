using NullTextResearch.Diffusion;

namespace NullTextResearch.Inversion;

/// <summary>The library's paths from image to noise; command line, workbench, documentation, property tests and stored results read them from here.</summary>
public static class PathCatalogue
{
    /// <summary>All paths; the first is the default.</summary>
    public static IReadOnlyList<PathMethod> All { get; } =
    [
        new()
        {
            Id = DdimInversionOptions.PathId,
            Summary = "each DDIM step with its two noise levels swapped",
            Source = "Song et al. 2021; Mokady et al. 2023, section 3.1",
            Memory = "nothing: T + 1 latents, as for every path",
            EqualTo = new OriginalCode("PnPInversion's code", "tiny_algo_10_f64.safetensors", 1e-6) { Tensors = "ddim_latents" },
            Default = new DdimInversionOptions(),
            Cost = t => new MethodCost(t, 0),
            CostFormula = "T",
        },
        new()
        {
            Id = RandomNoiseOptions.PathId,
            Summary = "the image plus one random noise, scaled to each level; no network",
            Source = "Mokady et al. 2023, section 4 (random pivot)",
            Memory = "nothing",
            EqualTo = OriginalCode.None,
            Default = new RandomNoiseOptions(),
            StandsAlone = false,
            Seeded = (options, seed) => ((RandomNoiseOptions)options) with { Seed = seed },
            Cost = _ => new MethodCost(0, 0),
            CostFormula = "0",
        },
        new()
        {
            Id = FixedPointOptions.PathId,
            Summary = "each step's equation solved by iteration, so that sampling at guidance 1 reconstructs almost exactly",
            Source = "Meiri et al. 2023; Pan et al. 2023 (AIDI)",
            Memory = "1 latent",
            EqualTo = new OriginalCode("a public re-implementation", "methods/fpi_f32.safetensors", 5e-5),
            Default = new FixedPointOptions(),
            Cost = t => new MethodCost(5 * t, 0),
            CostFormula = "5 T",
        },
        new()
        {
            Id = EditFriendlyOptions.PathId,
            Summary = "DDPM noise for every step, computed so that sampling with it reproduces the image exactly",
            Source = "Huberman-Spiegelglas et al. 2024",
            Memory = "T latents",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/eddpm_f32.safetensors", 5e-5),
            Default = new EditFriendlyOptions(),
            Seeded = (options, seed) => ((EditFriendlyOptions)options) with { Seed = seed },
            Restore = EditFriendlyReplay.Restore,
            Cost = t => new MethodCost(2 * t, 0),
            CostFormula = "2 T",
        },
        new()
        {
            Id = EdictOptions.PathId,
            Summary = "two coupled latents, each moved by the prediction at the other: exact at any guidance",
            Source = "Wallace et al. 2023",
            Memory = "1 latent",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/edict_f32.safetensors", 1e-4),
            Default = new EdictOptions(),
            Restore = EdictReplay.Restore,
            Cost = t => new MethodCost(4 * t, 0),
            CostFormula = "4 T",
        },
        new()
        {
            Id = BelmOptions.PathId,
            Summary = "each level computed from the two below it by the linear rule of least error (O-BELM): exact at any guidance",
            Source = "Wang et al. 2024",
            Memory = "1 latent",
            EqualTo = new OriginalCode("the authors' code", "methods/belm_f32.safetensors", 5e-4),
            Default = new BelmOptions(),
            Restore = TwoStepReplay.Restore,
            Cost = t => new MethodCost(t, 0),
            CostFormula = "T",
        },
        new()
        {
            Id = BdiaOptions.PathId,
            Summary = "each level computed from the two below it by DDIM steps in both directions: exact at any guidance",
            Source = "Zhang et al. 2023",
            Memory = "1 latent",
            EqualTo = new OriginalCode("the authors' code", "methods/bdia_original_f32.safetensors", 1e-4),
            Default = new BdiaOptions(),
            Restore = TwoStepReplay.Restore,
            Cost = t => new MethodCost(t, 0),
            CostFormula = "T",
        },
        new()
        {
            Id = ReNoiseOptions.PathId,
            Summary = "each step repeated from its own result, with predictions averaged and moved towards the statistics of noise",
            Source = "Garibi et al. 2024",
            Memory = "2 latents",
            EqualTo = new OriginalCode("the authors' code", "methods/renoise_f32.safetensors", 1e-4),
            Default = new ReNoiseOptions(),
            Seeded = (options, seed) => ((ReNoiseOptions)options) with { Seed = seed },
            Cost = t => new MethodCost(6 * t, 0),
            CostFormula = "6 T",
        },
        new()
        {
            Id = GnriOptions.PathId,
            Summary = "each step's equation solved by Newton steps on its summed residual, guided towards likely latents",
            Source = "Samuel et al. 2024 (GNRI)",
            Memory = "one gradient through the U-Net",
            EqualTo = new OriginalCode("the authors' code", "methods/gnri_f32.safetensors", 2e-5),
            Default = new GnriOptions(),
            Cost = t => new MethodCost(2 * t, t),
            CostFormula = "2 T, T with a backward pass",
        },
        new()
        {
            Id = SpdInvOptions.PathId,
            Summary = "each step's latents fitted to its equation by gradient steps",
            Source = "Li et al. 2024 (SPDInv)",
            Memory = "2 latents, one gradient through the U-Net",
            EqualTo = new OriginalCode("the authors' code", "methods/spdinv_f32.safetensors", 1e-3),
            Default = new SpdInvOptions(),
            Cost = t => new MethodCost(26 * t, 25 * t),
            CostFormula = "26 T, 25 T with a backward pass",
        },
        new()
        {
            Id = Pix2PixZeroPathOptions.PathId,
            Summary = "DDIM inversion with predictions made more like noise: less correlated, closer to normal",
            Source = "Parmar et al. 2023",
            Memory = "nothing",
            EqualTo = new OriginalCode("PnPInversion's code", "methods/pix2pix_zero_f32.safetensors", 2e-4),
            Default = new Pix2PixZeroPathOptions(),
            Seeded = (options, seed) => ((Pix2PixZeroPathOptions)options) with { Seed = seed },
            Cost = t => new MethodCost(t, 0),
            CostFormula = "T",
        },
    ];

    /// <summary>The list as text, three lines per path.</summary>
    public static string ToText() =>
        string.Join(
            '\n',
            All.Select(p =>
                $"{p.Id, -14}{p.Summary}\n{"", -14}{p.Source}; up to {p.CostFormula} evaluations per image\n{"", -14}memory: {p.Memory}; equal to: {p.EqualTo}"
            )
        );

    /// <summary>The ids, for messages.</summary>
    internal static string Ids => string.Join(", ", All.Select(p => p.Id));

    /// <summary>Finds a path by its id.</summary>
    /// <param name="id">Such as <c>ddim</c>.</param>
    /// <exception cref="ArgumentException">There is no such entry; the message lists the known ones.</exception>
    public static PathMethod Find(string id) =>
        All.FirstOrDefault(p => p.Id == id) ?? throw new ArgumentException($"There is no path '{id}'; choose one of {Ids}.", nameof(id));

    /// <summary>Why a method that follows a pivot cannot be combined with a path that has its own sampling rule.</summary>
    internal static string Refusal(string path, string method) =>
        $"{method} follows the latents of a path by plain DDIM steps, but '{path}' has its own sampling rule, which leaves nothing to correct. "
        + "Use that path without a method on top, or one of "
        + string.Join(", ", All.Where(p => p.Restore is null).Select(p => p.Id))
        + ".";

    /// <summary>Rebuilds a replay from stored data.</summary>
    /// <param name="data">Stored data; the replay takes ownership of its tensors.</param>
    /// <exception cref="ArgumentException">The kind of replay is unknown, or part of its data is missing.</exception>
    public static IReplay Restore(ReplayData data) =>
        data.Kind switch
        {
            DdimReplay.Kind => DdimReplay.Instance,
            OffsetReplay.Kind => new OffsetReplay(data.Tensor(OffsetReplay.Kind)),
            ProximalReplay.Kind => ProximalReplay.Restore(data),
            EtaReplay.Kind => EtaReplay.Restore(data),
            _ => (
                All.FirstOrDefault(p => p.Id == data.Kind)?.Restore
                ?? throw new ArgumentException($"There is no replay of kind '{data.Kind}'; was the file written by a newer version?")
            )(data),
        };
}
