using System.Reflection;
using NullTextResearch.Hosting;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// Registers <see cref="LibraryViews"/> with Microsoft's archived kernel by reflection, for cells that reference this assembly by
/// its path. The extension for that kernel does the same without reflection.
/// </summary>
internal static class DotNetInteractiveFormatters
{
    /// <summary>The mime types that are sent, in order.</summary>
    public static IReadOnlyList<string> Mimes { get; } = [Mime.Html, Mime.Text];

    /// <summary>Registers with the kernel if this process is one of .NET Interactive.</summary>
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

    /// <summary>Writes the stand-in of a value as one mime type.</summary>
    public static Action<object, TextWriter> Writer(string mime)
    {
        RenderingFormatter formatter = new(mime);
        return (value, writer) =>
        {
            // An empty collection has no stand-in.
            if (Notebook.StandIn(value) is not { } standIn || !formatter.Format(standIn, writer))
                writer.Write(value);
        };
    }
}
