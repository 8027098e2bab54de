namespace NullTextResearch.Inversion;

/// <summary>The library's inversion methods; command line, workbench, documentation and tests read them from here.</summary>
public static class InversionCatalogue
{
    /// <summary>Prefix of the names of a path's options among those of its method.</summary>
    public const string PathPrefix = "path.";

    private const string Mokady = "Mokady et al. 2023",
        Pnp = "PnPInversion's code",
        Golden64 = "tiny_algo_10_f64.safetensors";

    /// <summary>All methods; the first is the default.</summary>
    public static IReadOnlyList<InversionMethod> All { get; } =
    [
        new()
        {
            Id = "null-text",
            Summary = "one unconditional embedding per step, optimised until guided sampling follows the DDIM pivot",
            Source = $"{Mokady}, Algorithm 1",
            Memory = "T embeddings, one gradient through the U-Net",
            EqualTo = new OriginalCode(Pnp, Golden64, 1e-5) { Tensors = "nti." },
            IsPivotal = true,
            TakesPath = true,
            Create = r => new NullTextInversion(r.Apply(r.Pivotal)),
            Cost = (t, n) => new MethodCost(t + (t * (n + 2)), t * n),
            CostFormula = "T (N + 3), T N with a backward pass",
        },
        new()
        {
            Id = "ddim",
            Summary = "sampling run backwards; does not reconstruct the image at guidance above 1",
            Source = "Song et al. 2021; Dhariwal and Nichol 2021",
            Memory = "nothing: T + 1 latents, as for every path",
            EqualTo = new OriginalCode(Pnp, Golden64, 1e-6) { Tensors = "ddim_latents" },
            Optimises = false,
            TakesPath = true,
            Create = r => new PathInversion(r.Apply(r.PathOrDefault)),
            Cost = (t, _) => new MethodCost(t, 0),
            CostFormula = "T",
        },
        new()
        {
            Id = "npi",
            Summary = "the prompt used as the null text",
            Source = "Miyake et al. 2023 (negative-prompt inversion)",
            Memory = "nothing",
            EqualTo = new OriginalCode(Pnp, Golden64, 1e-8) { Tensors = "npi." },
            Optimises = false,
            TakesPath = true,
            Create = r => new NegativePromptInversion(r.Apply(new NegativePromptOptions { Inversion = r.PathOrDefault })),
            Cost = (t, _) => new MethodCost(t, 0),
            CostFormula = "T",
        },
        new()
        {
            Id = "npi-proximal",
            Summary = "the prompt used as the null text, with guidance only where it matters",
            Source = "Han et al. 2024 (proximal guidance)",
            Memory = "nothing",
            EqualTo = new OriginalCode(Pnp, "methods/proxnpi_f32.safetensors", 2e-3),
            Optimises = false,
            TakesPath = true,
            Create = r => new ProximalNegativePromptInversion(r.Apply(new ProximalOptions { Inversion = r.PathOrDefault })),
            Cost = (t, _) => new MethodCost(t, 0),
            CostFormula = "T",
        },
        new()
        {
            Id = "direct",
            Summary = "the source branch is put back on the pivot after each step",
            Source = "Ju et al. 2024 (direct inversion)",
            Memory = "T latents",
            EqualTo = new OriginalCode(Pnp, Golden64, 1e-6) { Tensors = "direct." },
            Optimises = false,
            TakesPath = true,
            Create = r => new DirectInversion(r.Apply(r.PathOrDefault)),
            Cost = (t, _) => new MethodCost(3 * t, 0),
            CostFormula = "3 T",
        },
        new()
        {
            Id = "eta",
            Summary = "the source branch is put on the pivot; all branches get the same chosen noise, more of it at earlier steps",
            Source = "Kang et al. 2024 (eta inversion)",
            Memory = "2 T latents",
            EqualTo = new OriginalCode("the authors' code", "methods/eta_f32.safetensors", 5e-5),
            Optimises = false,
            DrawsNoise = true,
            TakesPath = true,
            Create = r => new EtaInversion(r.Apply(new EtaOptions { Inversion = r.PathOrDefault, Seed = r.Seed })),
            Cost = (t, _) => new MethodCost(3 * t, 0),
            CostFormula = "3 T",
        },
        new()
        {
            Id = "global",
            TakesPath = true,
            Summary = "one unconditional embedding for all steps",
            Source = $"{Mokady}, Algorithm 2",
            Memory = "1 embedding, one gradient through the U-Net",
            EqualTo = OriginalCode.None,
            Create = r => new GlobalNullTextInversion(r.Apply(new GlobalNullTextOptions { InnerSteps = r.InnerSteps, Inversion = r.PathOrDefault })),
            // The last move of a pass is not needed and is skipped.
            Cost = (t, n) => new MethodCost(t + (3 * t * n) - n, t * n),
            CostFormula = "T (3 N + 1) - N, T N with a backward pass",
        },
        new()
        {
            Id = "random-pivot",
            Summary = "null-text optimisation against the image plus random noise as the pivot",
            Source = $"{Mokady}, section 4",
            Memory = "T embeddings, one gradient through the U-Net",
            EqualTo = OriginalCode.None,
            IsPivotal = true,
            DrawsNoise = true,
            Create = r =>
            {
                RandomPivotOptions options = r.Apply(new RandomPivotOptions(r.Pivotal, r.Seed));
                return new RandomPivotInversion(options.Optimisation, options.Seed);
            },
            Cost = (t, n) => new MethodCost(t * (n + 2), t * n),
            CostFormula = "T (N + 2), T N with a backward pass",
        },
        new()
        {
            Id = "textual",
            TakesPath = true,
            Summary = "the prompt's embedding optimised at random timesteps, without a pivot",
            Source = $"Gal et al. 2022, as in {Mokady}, section 4",
            Memory = "1 embedding, one gradient through the U-Net",
            EqualTo = OriginalCode.None,
            DrawsNoise = true,
            Create = r => new TextualInversion(
                r.Apply(
                    new TextualInversionOptions
                    {
                        InnerSteps = r.InnerSteps,
                        Seed = r.Seed,
                        Inversion = r.PathOrDefault,
                    }
                )
            ),
            Cost = (t, n) => new MethodCost(t + (t * n), t * n),
            CostFormula = "T (N + 1), T N with a backward pass",
        },
        new()
        {
            Id = "textual-pivot",
            TakesPath = true,
            Summary = "the prompt's embedding optimised against the pivot, one per step",
            Source = $"{Mokady}, Fig. 15",
            Memory = "T embeddings, one gradient through the U-Net",
            EqualTo = OriginalCode.None,
            IsPivotal = true,
            Create = r => new TextualInversionWithPivot(r.Apply(r.Pivotal)),
            Cost = (t, n) => new MethodCost(t + (t * (n + 2)), t * n),
            CostFormula = "T (N + 3), T N with a backward pass",
        },
        new()
        {
            Id = "values-pivot",
            TakesPath = true,
            Summary = "the embedding behind the values of cross-attention optimised against the pivot, one per step; the keys, and with them the maps, stay",
            Source = "Li et al. 2023, StyleDiffusion (its embedding is made by a network; here it is optimised directly)",
            Memory = "2 T embeddings, one gradient through the U-Net",
            EqualTo = OriginalCode.None,
            IsPivotal = true,
            Create = r => new ValueEmbeddingInversion(r.Apply(r.Pivotal)),
            Cost = (t, n) => new MethodCost(t + (t * (n + 2)), t * n),
            CostFormula = "T (N + 3), T N with a backward pass",
        },
        new()
        {
            Id = "non-pivotal",
            TakesPath = true,
            Summary = "the null text optimised at random timesteps, without a pivot",
            Source = $"{Mokady}, Figs. 13 and 14",
            Memory = "1 embedding, one gradient through the U-Net",
            EqualTo = OriginalCode.None,
            DrawsNoise = true,
            Create = r => new NonPivotalInversion(
                r.Apply(
                    new NonPivotalOptions
                    {
                        InnerSteps = r.InnerSteps,
                        Seed = r.Seed,
                        Inversion = r.PathOrDefault,
                    }
                )
            ),
            Cost = (t, n) => new MethodCost(t + (2 * t * n), t * n),
            CostFormula = "T (2 N + 1), T N with a backward pass",
        },
        .. PathCatalogue.All.Where(p => p.StandsAlone && p.Id != DdimInversionOptions.PathId).Select(Alone),
    ];

    private static InversionMethod Alone(PathMethod path) =>
        new()
        {
            Id = path.Id,
            Summary = path.Summary,
            Source = path.Source,
            Memory = path.Memory,
            EqualTo = path.EqualTo,
            Optimises = false,
            DrawsNoise = path.Seeded is not null,
            Create = r => new PathInversion(r.Apply(path.With(r.Seed))),
            Cost = (t, _) => path.Cost(t),
            CostFormula = path.CostFormula,
        };

    /// <summary>Creates a method on a path, if the two can be combined.</summary>
    /// <param name="id">The method.</param>
    /// <param name="path">The path; null for the method's own.</param>
    /// <param name="request">Settings; its path is ignored if <paramref name="path"/> is given.</param>
    /// <exception cref="ArgumentException">
    /// The method or the path is not in the catalogue, the two cannot be combined, or an option belongs to neither; the message says why.
    /// </exception>
    public static IInversion Create(string id, string? path = null, MethodRequest? request = null)
    {
        InversionMethod method = Find(id);
        request ??= new MethodRequest();
        KeyValuePair<string, string>[] ofPath =
        [
            .. request
                .Options.Where(o => o.Key.StartsWith(PathPrefix, StringComparison.Ordinal))
                .Select(o => KeyValuePair.Create(o.Key[PathPrefix.Length..], o.Value)),
        ];
        request = request with { Options = [.. request.Options.Where(o => !o.Key.StartsWith(PathPrefix, StringComparison.Ordinal))] };
        PathMethod? chosen = path is null ? null : PathCatalogue.Find(path);
        if (chosen is not null && Refusal(method, chosen) is { } reason)
            throw new ArgumentException(reason);
        if (chosen is null && ofPath.Length == 0)
            return method.Create(request);
        if (!method.TakesPath)
            throw new ArgumentException($"{id} takes no path, so {PathPrefix}{ofPath[0].Key} has no effect; leave out '{PathPrefix}' or the option.");
        PathOptions options = chosen?.With(request.Seed) ?? request.Path ?? (method.IsPivotal ? request.NullText.Inversion : new DdimInversionOptions());
        options = NamedOptions.With(options, ofPath);
        options.Validate();
        return method.Create(request with { Path = options });
    }

    /// <summary>Why a method and a path cannot be combined; null if they can.</summary>
    public static string? Refusal(InversionMethod method, PathMethod path) =>
        !method.TakesPath ? $"{method.Id} has its own path and takes no other."
        : method.Id == DdimInversionOptions.PathId && !path.StandsAlone
            ? $"The path {path.Id} is not a method by itself; use it with a method such as null-text."
        : method.Id != DdimInversionOptions.PathId && path.Restore is not null ? PathCatalogue.Refusal(path.Id, method.Id)
        : null;

    /// <summary>The list as text, three lines per method.</summary>
    public static string ToText() =>
        string.Join(
            '\n',
            All.Select(m =>
                $"{m.Id, -14}{m.Summary}\n{"", -14}{m.Source}; up to {m.CostFormula} evaluations per image\n{"", -14}memory: {m.Memory}; equal to: {m.EqualTo}"
            )
        );

    /// <summary>Finds a method by its id.</summary>
    /// <param name="id">Such as <c>null-text</c>.</param>
    /// <exception cref="ArgumentException">There is no such entry; the message lists the known ones.</exception>
    public static InversionMethod Find(string id) =>
        All.FirstOrDefault(m => m.Id == id)
        ?? throw new ArgumentException($"There is no inversion method '{id}'; choose one of {string.Join(", ", All.Select(m => m.Id))}.", nameof(id));
}
