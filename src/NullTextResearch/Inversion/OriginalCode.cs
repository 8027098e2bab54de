using System.Globalization;

namespace NullTextResearch.Inversion;

/// <summary>The original code whose recorded tensors an implementation reproduces, and the tolerance: what <c>nulltext verify</c> checks.</summary>
/// <param name="Code">Whose code, in a few words; if none was published, a sentence that says so.</param>
/// <param name="Golden">File of the recorded tensors, relative to <c>data/golden</c>; null if there are none.</param>
/// <param name="Limit">The largest allowed difference from any of them: relative (float32 files) or absolute (float64 files). 0 if there are none.</param>
public sealed record OriginalCode(string Code, string? Golden = null, double Limit = 0)
{
    /// <summary>For methods without published code.</summary>
    public static OriginalCode None { get; } = new("no published code; property-tested");

    /// <summary>Prefix of the names of its tensors in that file; empty (default) for all.</summary>
    public string Tensors { get; init; } = "";

    /// <summary>Whether the limit is relative.</summary>
    public bool IsRelative => Golden?.EndsWith("_f32.safetensors", StringComparison.Ordinal) ?? false;

    /// <summary>As shown in tables.</summary>
    public override string ToString() =>
        Golden is null ? Code : $"{Code}, to {Limit.ToString("0e-0", CultureInfo.InvariantCulture)}" + (IsRelative ? " relative in float32" : " in float64");
}
