using Microsoft.CodeAnalysis.Scripting;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// Releases variables that a later cell has declared again. Otherwise a session keeps every value of every run of a cell: if a cell that holds a model runs
/// ten times, ten models stay in memory.
/// </summary>
internal static class ShadowedVariables
{
    /// <summary>Clears variables of earlier cells that <paramref name="next"/> declares again, unless earlier code can still see them.</summary>
    public static void Release(ScriptState<object>? before, ScriptState<object> next, DeclarationLog declarations)
    {
        if (before is null)
            return;
        // Variables are in the order of the cells; new ones come last.
        int known = before.Variables.Length;
        if (next.Variables.Length == known)
            return;
        HashSet<string> anew = new(next.Variables.Skip(known).Select(v => v.Name), StringComparer.Ordinal);
        foreach (ScriptVariable variable in before.Variables)
        {
            if (!anew.Contains(variable.Name) || variable.IsReadOnly || variable.Type.IsValueType || declarations.IsCaptured(variable.Name))
                continue;
            variable.Value = null;
        }
    }
}
