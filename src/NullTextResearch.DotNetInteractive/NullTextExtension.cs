using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Formatting;
using NullTextResearch.Hosting;
using NullTextResearch.ImageSharp;
using NullTextResearch.Interactive;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.DotNetInteractive;

/// <summary>
/// The workbench in Microsoft's .NET Interactive. Loading the package activates it; after <c>#r "folder/NullTextResearch.DotNetInteractive.dll"</c>
/// call <see cref="LoadAsync"/> in a cell.
/// </summary>
/// <remarks>
/// Shows results as images and tables and progress below the cell, sets <see cref="Notebook.Host"/> for the library, and adds the directive
/// <c>#!nulltext</c> to the kernel.
/// </remarks>
public sealed class NullTextExtension : IKernelExtension
{
    private const string FSharp = "fsharp";

    private static readonly ConditionalWeakTable<Kernel, object> Extended = [];
    private static readonly Lock Gate = new();
    private static bool _attached;

    /// <summary>Extends the kernel that runs the calling cell. A second call changes nothing.</summary>
    /// <exception cref="InvalidOperationException">No .NET Interactive cell is running.</exception>
    public static Task LoadAsync() =>
        new NullTextExtension().OnLoadAsync(
            KernelInvocationContext.Current?.HandlingKernel
                ?? throw new InvalidOperationException(
                    "No .NET Interactive cell is running; call NullTextExtension.LoadAsync() in a cell, or pass the kernel to OnLoadAsync."
                )
        );

    /// <summary>Extends a kernel and all its sibling kernels; called by the kernel that loads the package.</summary>
    /// <param name="kernel">Any kernel of the process.</param>
    public Task OnLoadAsync(Kernel kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        Kernel root = kernel.RootKernel;
        lock (Gate)
        {
            if (Extended.TryGetValue(root, out _))
                return Task.CompletedTask;
            Extended.Add(root, root);
            if (!_attached)
            {
                _ = Notebook.Attach(new InvocationHost());
                PublishedNatives.Start();
            }

            _attached = true;
        }

        RegisterFormatters();
        NullTextDirective.AddTo(root);
        string[] library = [.. LibraryAssemblies().Select(a => a.Location).Where(l => l.Length > 0)];
        foreach (Kernel each in root is CompositeKernel all ? all.ChildKernels : (IEnumerable<Kernel>)[root])
        {
            // A cell that references this assembly by its path needs the assemblies next to it too.
            if (each is CSharpKernel csharp)
                csharp.AddAssemblyReferences(library);
            else if (each.Name == FSharp)
                ReferenceAtFirstCell(each, library);
        }

        return Task.CompletedTask;
    }

    // The F# compiler starts with the first F# cell, which takes seconds: notebooks without F# must not pay for it.
    private static void ReferenceAtFirstCell(Kernel fsharp, IReadOnlyList<string> library)
    {
        string code = string.Join('\n', library.Select(path => $"#r @\"{path}\""));
        int cells = 0;
        fsharp.AddMiddleware(
            async (command, context, next) =>
            {
                if (command is SubmitCode && Interlocked.Increment(ref cells) == 1)
                    await fsharp.SendAsync(new SubmitCode(code), context.CancellationToken).ConfigureAwait(false);
                await next(command, context).ConfigureAwait(false);
            }
        );
    }

    /// <summary>The types whose values are shown as images or tables; the same list as in our own kernel.</summary>
    internal static IReadOnlyList<Type> Shown => [.. LibraryViews.Shown, typeof(SixLabors.ImageSharp.Image)];

    private static void RegisterFormatters()
    {
        RuntimeHelpers.RunModuleConstructor(typeof(ImageSharpViews).Module.ModuleHandle);
        foreach (Type type in Shown)
        {
            foreach (string mime in DotNetInteractiveFormatters.Mimes)
                Formatter.Register(type, DotNetInteractiveFormatters.Writer(mime), mime);
            Formatter.SetPreferredMimeTypesFor(type, [.. DotNetInteractiveFormatters.Mimes]);
        }
    }

    private static IEnumerable<Assembly> LibraryAssemblies() =>
        [
            typeof(NullTextExtension).Assembly,
            typeof(Workbench).Assembly,
            typeof(Figures.Chart).Assembly,
            typeof(StableDiffusion).Assembly,
            typeof(Notebook).Assembly,
            typeof(ImageSharpViews).Assembly,
            typeof(SixLabors.ImageSharp.Image).Assembly,
            typeof(TorchSharp.torch).Assembly,
        ];
}
