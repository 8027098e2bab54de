using System.Runtime.CompilerServices;

namespace NullTextResearch.Tests;

/// <summary>Loads libtorch before any test touches TorchSharp, also where a test uses nothing of the test kit first.</summary>
internal static class TestStart
{
#pragma warning disable CA2255 // A test project is a program: nothing else runs first.
    [ModuleInitializer]
    internal static void Load()
#pragma warning restore CA2255
    {
        // The runner first asks for the assembly's description, and takes none that is followed by a line on a process that ends slowly (xunit issue 3576).
        if (Environment.GetCommandLineArgs().Contains("-assemblyInfo"))
            return;
        Native.EnsureLoaded();
        TorchSharp.torch.set_num_threads(1);
    }
}
