using System.Runtime.CompilerServices;
using Microsoft.DotNet.Interactive;

namespace NullTextResearch.DotNetInteractive;

/// <summary>Plotly.NET.Interactive's formatter, for charts that users make with Plotly.NET themselves.</summary>
internal static class PlotlyNet
{
    /// <summary>Registers it, and says what it does; or says what is missing.</summary>
    public static async Task ShowAsync(KernelInvocationContext context)
    {
        try
        {
            await Register(context.HandlingKernel.RootKernel);
            context.DisplayAs(
                "Charts of Plotly.NET are shown by Plotly.NET.Interactive: their HTML loads require.js and plotly.js from two CDNs, so they need a "
                    + "network. For charts without one use View.Chart or View.Lines.",
                "text/plain"
            );
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or TypeLoadException or MissingMemberException)
        {
            context.Fail(
                context.Command,
                message: $"""
                Plotly.NET.Interactive does not load here: {e.Message}
                It wants its package (#r "nuget: Plotly.NET.Interactive, 6.0.0") and FSharp.Core 10.1; the dotnet-interactive tool has FSharp.Core 10.0 in its own folder, and a process holds one.
                Charts of this library need neither: View.Chart, View.Lines.
                """
            );
        }
    }

    // A method of its own: it fails when it is compiled, which must happen inside the try.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task Register(Kernel root) => ((IKernelExtension)new Plotly.NET.Interactive.FormatterKernelExtension()).OnLoadAsync(root);
}
