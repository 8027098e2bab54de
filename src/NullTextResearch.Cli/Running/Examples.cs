using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace NullTextResearch.Cli.Running;

/// <summary>Command lines that show how a command is used, at the end of its help.</summary>
internal static class Examples
{
    private static readonly ConditionalWeakTable<Command, string[]> All = [];

    /// <summary>Gives a command its examples.</summary>
    /// <param name="command">The command.</param>
    /// <param name="lines">Whole command lines that begin with <c>nulltext</c>.</param>
    /// <returns>The command.</returns>
    public static Command WithExamples(this Command command, params string[] lines)
    {
        All.AddOrUpdate(command, lines);
        return command;
    }

    /// <summary>The examples of a command.</summary>
    public static IReadOnlyList<string> Of(Command command) => All.TryGetValue(command, out string[]? lines) ? lines : [];

    /// <summary>Lets help show them.</summary>
    public static void ShowIn(RootCommand root)
    {
        HelpOption help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
    }
}

/// <summary>Help as the library writes it, and the examples.</summary>
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
