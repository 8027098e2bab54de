using System.Reflection;
using NullTextResearch.Hosting;
using NullTextResearch.Text;

namespace NullTextResearch.Interactive.Display;

/// <summary>Where results and progress are shown.</summary>
internal abstract class Output
{
    private static readonly AsyncLocal<Output?> Chosen = new();

    /// <summary>
    /// This project's kernel if it is running, else .NET Interactive if one of its cells is running, else the console. Read in the cell
    /// before any work starts, because .NET Interactive's context is bound to the cell's flow of control.
    /// </summary>
    public static Output Current =>
        Chosen.Value ?? (Notebook.Host is { } host ? new HostOutput(host) : DotNetInteractiveOutput.TryFind() ?? (Output)new ConsoleOutput(Console.Out));

    /// <summary>Whether pictures can be seen.</summary>
    public abstract bool IsRich { get; }

    /// <summary>Minimum time between two previews of a picture in progress.</summary>
    public virtual TimeSpan PreviewInterval => TimeSpan.FromSeconds(1);

    /// <summary>Cancelled when the user stops the cell.</summary>
    public virtual CancellationToken Cancellation => CancellationToken.None;

    /// <summary>Shows a value.</summary>
    /// <returns>Replaces the displayed value; callable from any thread.</returns>
    public abstract Action<object> Display(object value);

    /// <summary>Chooses an output for the current flow of control; for tests.</summary>
    public static void Choose(Output? output) => Chosen.Value = output;
}

/// <summary>This project's kernel.</summary>
internal sealed class HostOutput(INotebookHost host) : Output
{
    public override bool IsRich => true;

    public override CancellationToken Cancellation => host.Cancellation;

    public override Action<object> Display(object value)
    {
        IDisplayHandle handle = host.Display(value);
        return handle.Update;
    }
}

/// <summary>
/// Microsoft's archived kernel, by reflection: <c>display(x).Update(y)</c> has no effect in its last versions, but the
/// handle of the invocation context works in all versions.
/// </summary>
internal sealed class DotNetInteractiveOutput : Output
{
    private readonly object _context;
    private readonly MethodInfo _display;

    private DotNetInteractiveOutput(object context, MethodInfo display)
    {
        _context = context;
        _display = display;
    }

    public override bool IsRich => true;

    public override CancellationToken Cancellation =>
        _context.GetType().GetProperty("CancellationToken")?.GetValue(_context) is CancellationToken token ? token : CancellationToken.None;

    /// <summary>The running cell, or null if there is none.</summary>
    public static DotNetInteractiveOutput? TryFind() =>
        AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == "Microsoft.DotNet.Interactive") is { } assembly
            ? TryFind(assembly)
            : null;

    internal static DotNetInteractiveOutput? TryFind(Assembly assembly)
    {
        Type? type = assembly.GetType("Microsoft.DotNet.Interactive.KernelInvocationContext");
        object? context = type?.GetProperty("Current", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
        MethodInfo? display = assembly
            .GetType("Microsoft.DotNet.Interactive.KernelInvocationContextExtensions")
            ?.GetMethods()
            .FirstOrDefault(m =>
                m.Name == "Display"
                && m.GetParameters() is [{ } of, { ParameterType: var value }, { ParameterType: var mimes }]
                && of.ParameterType == type
                && value == typeof(object)
                && mimes == typeof(string[])
            );
        return context is null || display is null ? null : new DotNetInteractiveOutput(context, display);
    }

    public override Action<object> Display(object value)
    {
        object? shown = _display.Invoke(null, [_context, value, Array.Empty<string>()]);
        MethodInfo? update = shown?.GetType().GetMethod("Update", [typeof(object)]);
        return next => update?.Invoke(shown, [next]);
    }
}

/// <summary>Plain text. Progress is printed from time to time, not at every update.</summary>
internal sealed class ConsoleOutput(TextWriter writer) : Output
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    public override bool IsRich => false;

    public override Action<object> Display(object value)
    {
        long written = TimeProvider.System.GetTimestamp();
        // Progress that has not begun has nothing to show.
        if (value is not ProgressView)
            Write(value);
        return next =>
        {
            bool last = next is not ProgressView { IsLast: false };
            if (!last && TimeProvider.System.GetElapsedTime(written) < Interval)
                return;
            written = TimeProvider.System.GetTimestamp();
            Write(next);
        };
    }

    // Names and prompts come from files: a terminal must not obey them.
    private void Write(object value) =>
        writer.WriteLine(PrintableText.Clean((value is Rendering.IRendered rendered ? rendered.Render().Text : value.ToString()) ?? ""));
}
