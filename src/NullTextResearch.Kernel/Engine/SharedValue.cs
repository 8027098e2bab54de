using System.ComponentModel;

namespace NullTextResearch.Kernel.Engine;

/// <summary>Passes a value into a language: the declaration that is compiled for the value takes it from here.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class SharedValue
{
    // Cells run one at a time, and so do declarations.
    private static object? _value;

    /// <summary>The value being passed.</summary>
    public static T Take<T>() => (T)_value!;

    /// <summary>Runs a declaration that takes the value.</summary>
    internal static void Pass(object? value, Action declare)
    {
        _value = value;
        try
        {
            declare();
        }
        finally
        {
            _value = null;
        }
    }
}
