using System.Runtime.InteropServices;
using NullTextResearch.Benchmarks;
using TorchSharp;

namespace NullTextResearch.Cli.Running;

/// <summary>What a manifest says of the program that wrote it.</summary>
internal static class ThisProgram
{
    /// <summary>Versions and the machine, for a JSON serialiser.</summary>
    public static object Facts =>
        new
        {
            Program = typeof(Study).Assembly.GetName().Version?.ToString(3),
            Runtime = RuntimeInformation.FrameworkDescription,
            TorchSharp = typeof(torch).Assembly.GetName().Version?.ToString(),
            Libtorch = torch.__version__,
            System = RuntimeInformation.OSDescription,
            Processors = Environment.ProcessorCount,
        };
}
