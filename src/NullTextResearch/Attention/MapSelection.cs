namespace NullTextResearch.Attention;

/// <summary>Which of the stored cross-attention maps to combine. All maps of a selection have the same resolution.</summary>
public abstract record MapSelection
{
    private protected MapSelection() { }

    /// <summary>
    /// The coarsest resolution outside the middle block with at least 16 pixels per side at the model's own image size; the finest if none has that many. For
    /// Stable Diffusion these are the papers' five layers, at a quarter of the latents' side: 16 x 16 at 512 pixels, 20 x 14 at 448 x 640.
    /// </summary>
    public static MapSelection Default { get; } = CoarsestWithSide(16);

    /// <summary>The released code's fixed positions, whatever their resolution: down[2..4] and up[0..3] of the maps that it keeps.</summary>
    public static MapSelection PublishedSlices { get; } = new Slices();

    /// <summary>Description of the selection, for manifests.</summary>
    public string Description => ToString();

    /// <summary>
    /// The coarsest resolution outside the middle block with at least this many pixels per side at the model's own image size; the finest if none has that
    /// many.
    /// </summary>
    /// <param name="side">Minimum <see cref="AttentionSite.OwnSide"/> in pixels, at least 1.</param>
    public static MapSelection CoarsestWithSide(int side)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 1);
        return new Coarsest(side);
    }

    /// <summary>The layers that satisfy a condition; they must share one resolution.</summary>
    /// <param name="name">Name of the condition in manifests and messages.</param>
    /// <param name="condition">Condition on layer and resolution.</param>
    public static MapSelection Where(string name, Func<StoredMap, bool> condition) => new Condition(name, condition);

    /// <summary>Selects maps.</summary>
    /// <param name="maps">All stored maps, in the execution order of the layers.</param>
    /// <returns>At least one cross-attention map; all have the same resolution.</returns>
    /// <exception cref="InvalidOperationException">No map matches, or the matching maps differ in resolution.</exception>
    public IReadOnlyList<StoredMap> From(IReadOnlyList<StoredMap> maps)
    {
        StoredMap[] cross = [.. maps.Where(m => m.Site.Kind == AttentionKind.Cross)];
        StoredMap[] chosen = [.. Choose(cross)];
        if (chosen.Length == 0)
            throw new InvalidOperationException($"No stored cross-attention map matches the selection '{Description}'. Stored: {List(cross)}.");
        if (chosen.Any(m => m.Height != chosen[0].Height || m.Width != chosen[0].Width))
            throw new InvalidOperationException($"The selection '{Description}' mixes resolutions: {List(chosen)}. Select layers of one resolution.");
        return chosen;
    }

    private protected abstract IEnumerable<StoredMap> Choose(IReadOnlyList<StoredMap> cross);

    private static string List(IReadOnlyCollection<StoredMap> maps) =>
        maps.Count == 0 ? "none" : string.Join(", ", maps.Select(m => $"{m.Site.Path} ({m.Height} x {m.Width})"));

    private sealed record Coarsest(int Side) : MapSelection
    {
        public override string ToString() => $"coarsest with side >= {Side}";

        private protected override IEnumerable<StoredMap> Choose(IReadOnlyList<StoredMap> cross)
        {
            StoredMap[] outer = [.. cross.Where(m => m.Site.Stage != UNetStage.Mid)];
            if (outer.Length == 0)
                outer = [.. cross];
            if (outer.Length == 0)
                return [];
            int[] sides = [.. outer.Select(m => m.Site.OwnSide).Distinct().Order()];
            int side = sides.FirstOrDefault(s => s >= Side, sides[^1]);
            return outer.Where(m => m.Site.OwnSide == side);
        }
    }

    private sealed record Slices : MapSelection
    {
        public override string ToString() => "published slices";

        private protected override IEnumerable<StoredMap> Choose(IReadOnlyList<StoredMap> cross)
        {
            StoredMap[] small = [.. cross.Where(m => m.Site.TakesPart(null))];
            return small.Where(m => m.Site.Stage == UNetStage.Down).Skip(2).Take(2).Concat(small.Where(m => m.Site.Stage == UNetStage.Up).Take(3));
        }
    }

    private sealed record Condition(string Name, Func<StoredMap, bool> Fits) : MapSelection
    {
        public override string ToString() => Name;

        private protected override IEnumerable<StoredMap> Choose(IReadOnlyList<StoredMap> cross) => cross.Where(Fits);
    }
}
