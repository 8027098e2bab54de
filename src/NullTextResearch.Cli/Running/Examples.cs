using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace NullTextResearch.Cli.Running;

/// <summary>Example command lines, shown at the end of a command's help.</summary>
internal static class Examples
{
    private static readonly ConditionalWeakTable<Command, string[]> All = [];

    /// <summary>Sets the examples of a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="lines">Complete command lines that begin with <c>nulltext</c>.</param>
    /// <returns>The command.</returns>
    public static Command WithExamples(this Command command, params string[] lines)
    {
        All.AddOrUpdate(command, lines);
        return command;
    }

    /// <summary>The examples of a command.</summary>
    public static IReadOnlyList<string> Of(Command command) => All.TryGetValue(command, out string[]? lines) ? lines : [];

    /// <summary>Makes help show the examples.</summary>
    public static void ShowIn(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }
}

/// <summary>The library's help, followed by the examples.</summary>
internal sealed class HelpWithExamples(HelpAction plain) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        int code = plain.Invoke(parseResult);
        IReadOnlyList<string> lines = Examples.Of(parseResult.CommandResult.Command);
        if (lines.Count == 0)
            return code;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine(lines.Count == 1 ? "Example:" : "Examples:");
        foreach (string line in lines)
            output.WriteLine($"  {line}");
        output.WriteLine();
        return code;
    }
}
