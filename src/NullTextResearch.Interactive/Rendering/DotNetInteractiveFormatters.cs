using System.Reflection;
using NullTextResearch.Hosting;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// <see cref="LibraryViews"/> in Microsoft's archived kernel, by reflection: for a cell that references this assembly by its
/// path. The extension for that kernel does the same with its types.
/// </summary>
internal static class DotNetInteractiveFormatters
{
    /// <summary>What is sent, and in which order.</summary>
    public static IReadOnlyList<string> Mimes { get; } = [Mime.Html, Mime.Text];

    /// <summary>Registers with the kernel that this process is, if it is that one.</summary>
    public static void Register()
    {
        if (AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == "Microsoft.DotNet.Interactive.Formatting") is { } assembly)
            Register(assembly);
    }

    internal static void Register(Assembly formatting)
    {
        Type? formatter = formatting.GetType("Microsoft.DotNet.Interactive.Formatting.Formatter");
        MethodInfo? register = formatter?.GetMethod("Register", [typeof(Type), typeof(Action<object, TextWriter>), typeof(string)]);
        MethodInfo? prefer = formatter?.GetMethod("SetPreferredMimeTypesFor", [typeof(Type), typeof(string[])]);
        if (register is null || prefer is null)
            return;
        foreach (Type type in LibraryViews.Shown)
        {
            foreach (string mime in Mimes)
                register.Invoke(null, [type, Writer(mime), mime]);
            prefer.Invoke(null, [type, Mimes.ToArray()]);
        }
    }

    /// <summary>Writes what stands in for a value, as one mime type.</summary>
    public static Action<object, TextWriter> Writer(string mime)
    {
        RenderingFormatter formatter = new(mime);
        return (value, writer) =>
        {
            // An empty collection has nothing to stand in for it.
            if (Notebook.StandIn(value) is not { } standIn || !formatter.Format(standIn, writer))
                writer.Write(value);
        };
    }
}
