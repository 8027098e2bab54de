namespace NullTextResearch.Scenes;

/// <summary>An edit of one scene, written out: both scenes, both captions, and the words that differ.</summary>
public sealed record SceneEditPlan
{
    internal SceneEditPlan(SceneEdit edit, SceneDescription source, SceneDescription target)
    {
        Edit = edit;
        Source = source;
        Target = target;
        SourceCaption = source.Caption;
        TargetCaption = target.Caption;
        string[] from = SourceCaption.Split(' '),
            to = TargetCaption.Split(' ');
        Kind = from.Length == to.Length ? SceneEditKind.WordSwap : SceneEditKind.Refinement;
        (SourceWordIndices, TargetWordIndices) = Kind == SceneEditKind.WordSwap ? InPlace(from, to) : ByAlignment(from, to);
        SourceWords = [.. SourceWordIndices.Select(i => from[i])];
        TargetWords = [.. TargetWordIndices.Select(i => to[i])];
    }

    /// <summary>The edit.</summary>
    public SceneEdit Edit { get; }

    /// <summary>The scene before the edit.</summary>
    public SceneDescription Source { get; }

    /// <summary>The scene after the edit: rendering it gives the true result.</summary>
    public SceneDescription Target { get; }

    /// <summary>The caption before the edit.</summary>
    public string SourceCaption { get; }

    /// <summary>The caption after the edit.</summary>
    public string TargetCaption { get; }

    /// <summary>Word swap if the captions have the same number of words, otherwise refinement.</summary>
    public SceneEditKind Kind { get; }

    /// <summary>Positions of the words of <see cref="SourceCaption"/> that are replaced or removed, from 0, ascending.</summary>
    public IReadOnlyList<int> SourceWordIndices { get; }

    /// <summary>Positions of the words of <see cref="TargetCaption"/> that are new, from 0, ascending.</summary>
    public IReadOnlyList<int> TargetWordIndices { get; }

    /// <summary>The words at <see cref="SourceWordIndices"/>.</summary>
    public IReadOnlyList<string> SourceWords { get; }

    /// <summary>The words at <see cref="TargetWordIndices"/>.</summary>
    public IReadOnlyList<string> TargetWords { get; }

    /// <summary>The word of the source caption that shows where the edit happens (for a local blend), or null if no word does.</summary>
    public string? SourceBlendWord => Noun(Source, Edit.IndexBefore);

    /// <summary>The word of the target caption that shows where the edit happens, or null if it happens everywhere.</summary>
    public string? TargetBlendWord => Noun(Target, Edit.IndexAfter);

    private static string? Noun(SceneDescription scene, int? index) => index is { } i ? CaptionGrammar.Noun(scene.Objects[i].Kind) : null;

    private static (int[] From, int[] To) InPlace(string[] from, string[] to)
    {
        int[] changed = [.. Enumerable.Range(0, from.Length).Where(i => from[i] != to[i])];
        return (changed, changed);
    }

    /// <summary>The words that are not part of a longest common subsequence.</summary>
    private static (int[] From, int[] To) ByAlignment(string[] from, string[] to)
    {
        int[,] length = new int[from.Length + 1, to.Length + 1];
        for (int i = from.Length - 1; i >= 0; i--)
        for (int j = to.Length - 1; j >= 0; j--)
            length[i, j] = from[i] == to[j] ? length[i + 1, j + 1] + 1 : Math.Max(length[i + 1, j], length[i, j + 1]);
        List<int> removed = [],
            added = [];
        int a = 0,
            b = 0;
        while (a < from.Length || b < to.Length)
        {
            if (a < from.Length && b < to.Length && from[a] == to[b])
            {
                a++;
                b++;
            }
            else if (b < to.Length && (a == from.Length || length[a, b + 1] >= length[a + 1, b]))
            {
                added.Add(b++);
            }
            else
            {
                removed.Add(a++);
            }
        }
        return ([.. removed], [.. added]);
    }
}
