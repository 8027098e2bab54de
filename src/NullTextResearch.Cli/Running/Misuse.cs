using System.CommandLine;
using System.CommandLine.Parsing;
using NullTextResearch.Text;

namespace NullTextResearch.Cli.Running;

/// <summary>Finds what is wrong with a command line, and what may have been meant.</summary>
internal static class Misuse
{
    // An empty prompt is valid.
    private static readonly string[] MayBeEmpty = ["--prompt", "--to", "--parameter"];

    /// <summary>The mistakes, one sentence each; empty if there are none.</summary>
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        List<string> mistakes = [.. parsed.Errors.Select(e => e.Message).Distinct()];
        foreach (SymbolResult given in parsed.CommandResult.Children)
        {
            (string name, IReadOnlyList<Token> tokens) = given switch
            {
                OptionResult option => (option.Option.Name, option.Tokens),
                ArgumentResult argument => (argument.Argument.Name, argument.Tokens),
                _ => ("", []),
            };
            if (tokens.Any(t => string.IsNullOrWhiteSpace(t.Value)) && !MayBeEmpty.Contains(name))
                mistakes.Add($"{name} is empty; give a value or leave it out.");
        }

        if (mistakes.Count == 0 || parsed.UnmatchedTokens.Count == 0)
            return mistakes;
        // Words after an unknown word were meant for that word.
        string first = parsed.UnmatchedTokens[0];
        HashSet<string> others = [.. parsed.UnmatchedTokens.Skip(1).Where(t => t != first && !IsOption(t))];
        if (!IsOption(first) && command.Subcommands.Count > 0)
            return [$"there is no command '{first}'{Hint(command, first)}"];
        return
        [
            .. mistakes
                .Where(m => !others.Any(t => m.Contains($"'{t}'", StringComparison.Ordinal)))
                .Select(m =>
                    parsed.UnmatchedTokens.FirstOrDefault(t => m.Contains($"'{t}'", StringComparison.Ordinal)) is { } token
                        ? m.TrimEnd('.') + Hint(command, token)
                        : m
                ),
        ];
    }

    /// <summary>A command as it is typed, such as <c>nulltext model pull</c>.</summary>
    public static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? $"{PathOf(parent)} {command.Name}" : "nulltext";

    private static bool IsOption(string token) => token.StartsWith('-');

    private static string Hint(Command command, string token)
    {
        IEnumerable<string> known = IsOption(token)
            ? Line(command).SelectMany(c => c.Options.Where(o => c == command || o.Recursive)).SelectMany(o => o.Aliases.Prepend(o.Name))
            : command.Subcommands.Select(c => c.Name);
        string hint = Spelling.Hint(token.Split('=')[0], known);
        return hint.Length == 0 ? "." : hint;
    }

    private static IEnumerable<Command> Line(Command command) => command.Parents.OfType<Command>().SelectMany(Line).Prepend(command);
}
