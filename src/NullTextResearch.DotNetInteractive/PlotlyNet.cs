using System.Runtime.CompilerServices;
using Microsoft.DotNet.Interactive;

namespace NullTextResearch.DotNetInteractive;

/// <summary>The formatter of Plotly.NET.Interactive, for charts that users create with Plotly.NET.</summary>
internal static class PlotlyNet
{
    /// <summary>Registers the formatter and explains what it does, or reports what is missing.</summary>
    public static async Task ShowAsync(KernelInvocationContext context)
    {
        try
        {
            await Register(context.HandlingKernel.RootKernel);
            context.DisplayAs(
                "Plotly.NET charts are now shown by Plotly.NET.Interactive: their HTML loads require.js and plotly.js from two CDNs, so they need a "
                    + "network. For charts that need none, use View.Chart or View.Lines.",
                "text/plain"
            );
        }
        catch (Exception e) when (e is IOException or BadImageFormatException or TypeLoadException or MissingMemberException)
        {
            context.Fail(
                context.Command,
                message: $"""
                Plotly.NET.Interactive cannot be loaded: {e.Message}
                It needs its package (#r "nuget: Plotly.NET.Interactive, 6.0.0") and FSharp.Core 10.1; the dotnet-interactive tool ships FSharp.Core 10.0, and a process can load only one.
                Charts of this library need neither: View.Chart, View.Lines.
                """
            );
        }
    }

    // A separate method: it fails when it is JIT-compiled, which must happen inside the try.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task Register(Kernel root) => ((IKernelExtension)new Plotly.NET.Interactive.FormatterKernelExtension()).OnLoadAsync(root);
}
