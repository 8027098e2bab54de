using System.Runtime.CompilerServices;

namespace NullTextResearch.TestKit;

/// <summary>Small tensors are faster on one thread, and sums then have one order.</summary>
internal static class OneThread
{
#pragma warning disable CA2255 // The test projects have no other common place that runs first.
    [ModuleInitializer]
    internal static void Set()
#pragma warning restore CA2255
    {
        Native.EnsureLoaded();
        TorchSharp.torch.set_num_threads(1);
    }
}
