using System.Globalization;

namespace NullTextResearch.Inversion;

/// <summary>Whose recorded tensors an implementation equals, and within which limit: what <c>nulltext verify</c> checks.</summary>
/// <param name="Code">Whose code, in a few words; where nobody published any, a sentence that says so.</param>
/// <param name="Golden">File of the recorded tensors, as <c>data/golden</c> has it; null where there are none.</param>
/// <param name="Limit">
/// The largest difference that is allowed to any of them: relative (float32 files) or absolute (float64 files). 0 where there are none.
/// </param>
public sealed record OriginalCode(string Code, string? Golden = null, double Limit = 0)
{
    /// <summary>For methods that nobody published code of.</summary>
    public static OriginalCode None { get; } = new("no published code; tested by laws");

    /// <summary>What the names of its tensors in that file begin with; empty (default) for all.</summary>
    public string Tensors { get; init; } = "";

    /// <summary>Whether the limit is a relative one.</summary>
    public bool IsRelative => Golden?.EndsWith("_f32.safetensors", StringComparison.Ordinal) ?? false;

    /// <summary>As tables have it.</summary>
    public override string ToString() =>
        Golden is null ? Code : $"{Code}, to {Limit.ToString("0e-0", CultureInfo.InvariantCulture)}" + (IsRelative ? " relative in float32" : " in float64");
}
