using System.CommandLine;
using System.Runtime.CompilerServices;
using NullTextResearch.Cli.Running;
using NullTextResearch.Figures;
using NullTextResearch.ImageSharp;
using NullTextResearch.Interactive;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.FSharp;
using NullTextResearch.Kernel.Server;
using TorchSharp;

namespace NullTextResearch.Cli.Commands;

/// <summary><c>nulltext kernel FILE</c>: the process that Jupyter starts.</summary>
internal static class KernelCommand
{
    public static Command Create()
    {
        Argument<string> file = new("connection_file") { Description = "The connection file that Jupyter passes." };
        Command command = new("kernel", "Serve C# to Jupyter; Jupyter starts this itself (see 'nulltext notebook').") { file };
        // Not through the runner: the kernel handles signals itself.
        command.SetAction(parsed => Serve(parsed.GetValue(file)!, CommandRunner.Threads(parsed)));
        return command.WithExamples("nulltext kernel connection.json");
    }

    private static int Serve(string connectionFile, int? threads)
    {
        int code;
        try
        {
            code = JupyterKernel.Run(connectionFile, Options(threads));
        }
        catch (Exception e) when (ErrorText.IsKnown(e))
        {
            Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
            code = CommandRunner.Failed;
        }

        // A cell may have left threads behind that would keep the process alive.
        Environment.Exit(code);
        return code;
    }

    /// <summary>Options of an engine whose cells can use libtorch immediately.</summary>
    /// <param name="threads">Requested threads. Null: cells keep libtorch's default, and a workbench chooses what suits its model.</param>
    public static EngineOptions Options(int? threads) =>
        new()
        {
            DrawDiagram = (text, stop) => ChromiumRenderer.TryFind() is { } browser ? MermaidDiagram.Draw(browser, text, stop) : null,
            Languages = [new LanguageFactory(CellPlan.FSharp, StartFSharp)],
            Prepare = () =>
            {
                // Registers how the library's own types are shown, even before a cell uses the workbench.
                RuntimeHelpers.RunModuleConstructor(typeof(Workbench).Module.ModuleHandle);
                RuntimeHelpers.RunModuleConstructor(typeof(ImageSharpViews).Module.ModuleHandle);
                // Before any cell can touch TorchSharp: its own search for libtorch cannot be repeated when it fails.
                NativeLoadReport report = Native.EnsureLoaded();
                if (report.Mode == NativeLoadMode.Failed)
                    Console.Error.WriteLine($"libtorch: {report.Detail} (see 'nulltext doctor')");
                else if (threads is { } asked)
                    torch.set_num_threads(asked);
            },
        };

    // A separate method, so that the F# compiler is loaded only when a cell needs it.
    private static ICellLanguage StartFSharp(LanguageSession session) => new FSharpLanguage(session);
}
