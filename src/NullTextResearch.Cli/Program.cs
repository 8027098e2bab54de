using System.CommandLine;
using NullTextResearch.Cli.Commands;

namespace NullTextResearch.Cli;

internal static class Program
{
    private static Task<int> Main(string[] args)
    {
        RootCommand root = new("Inversion and text-driven editing of real images with Stable Diffusion 1.x.");
        root.Subcommands.Add(TrainCommand.Create());
        return root.Parse(args).InvokeAsync();
    }
}
