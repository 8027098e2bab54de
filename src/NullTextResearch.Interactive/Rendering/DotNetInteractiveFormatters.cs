using System.Reflection;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using TorchSharp;

namespace NullTextResearch.Interactive.Rendering;

/// <summary>
/// <see cref="LibraryViews"/> in Microsoft's archived kernel, by reflection. What is not named here has its members shown
/// there as a table anyway.
/// </summary>
internal static class DotNetInteractiveFormatters
{
    private static readonly Type[] Shown =
    [
        typeof(RgbImage), typeof(IReadOnlyCollection<RgbImage>), typeof(ExperimentImage), typeof(IReadOnlyCollection<ExperimentImage>), typeof(torch.Tensor),
        typeof(InversionResult), typeof(Editing.EditResult), typeof(Chart), typeof(ImageGrid), typeof(TableData),
    ];

    /// <summary>Registers with the kernel that this process is, if it is that one.</summary>
    public static void Register()
    {
        if (AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == "Microsoft.DotNet.Interactive.Formatting") is { } assembly) Register(assembly);
    }

    internal static void Register(Assembly formatting)
    {
        Type? formatter = formatting.GetType("Microsoft.DotNet.Interactive.Formatting.Formatter");
        MethodInfo? register = formatter?.GetMethod("Register", [typeof(Type), typeof(Action<object, TextWriter>), typeof(string)]);
        MethodInfo? prefer = formatter?.GetMethod("SetPreferredMimeTypesFor", [typeof(Type), typeof(string[])]);
        if (register is null || prefer is null) return;
        RenderingFormatter html = new(Mime.Html), text = new(Mime.Text);
        foreach (Type type in Shown)
        {
            register.Invoke(null, [type, (Action<object, TextWriter>)((value, writer) => Write(html, value, writer)), Mime.Html]);
            register.Invoke(null, [type, (Action<object, TextWriter>)((value, writer) => Write(text, value, writer)), Mime.Text]);
            prefer.Invoke(null, [type, (string[])[Mime.Html, Mime.Text]]);
        }
    }

    private static void Write(RenderingFormatter formatter, object value, TextWriter writer)
    {
        // An empty collection has nothing to stand in for it.
        if (LibraryViews.Of(value) is not { } standIn || !formatter.Format(standIn, writer)) writer.Write(value);
    }
}
