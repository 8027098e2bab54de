using Microsoft.CodeAnalysis.Scripting;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>
/// Lets go of variables that a later cell declared again. A session otherwise keeps every value of every run of a cell:
/// run a cell that holds a model ten times and ten models stay in memory.
/// </summary>
internal static class ShadowedVariables
{
    /// <summary>Clears what <paramref name="next"/> declares anew in earlier cells, unless earlier code can still see it.</summary>
    public static void Release(ScriptState<object>? before, ScriptState<object> next, DeclarationLog declarations)
    {
        if (before is null)
            return;
        // Variables come in order of the cells; what is new stands behind what was there.
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
